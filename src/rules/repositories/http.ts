/** Rules from a web server: bounded in time, size, tries and redirects, and asked for only when they changed. */
import { attempt, type FetchedRules, type FetchOptions, isPassing, readText, TemporaryError } from './fetching.ts'
import { publicUrl } from './repository.ts'
import { RepositoryError } from './repository_error.ts'

/** The parts of `fetch` that are used, so that tests can bring their own. */
export type HttpGet = (url: string, init: HttpGetInit) => Promise<HttpAnswer>
interface HttpGetInit {
  readonly headers: Record<string, string>
  readonly redirect: 'manual'
  readonly signal: AbortSignal
}
interface HttpAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: AsyncIterable<Uint8Array> | null
}

export interface FetchRulesOptions extends FetchOptions {
  readonly get?: HttpGet | undefined
}

const maxRedirects = 5

/** Takes an http(s) URL, which may contain credentials for Basic authentication. Rejects with RepositoryError. */
export async function fetchRules(url: URL, options: FetchRulesOptions = {}): Promise<FetchedRules> {
  return attempt((signal) => fetchOnce(url, options, signal), options)
}

async function fetchOnce(
  start: URL,
  { get = undiciGet, etag }: FetchRulesOptions,
  signal: AbortSignal,
): Promise<FetchedRules> {
  let url = start
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const answer = await guarded(url, () => get(withoutCredentials(url), requestInit(start, url, etag, signal)))
    const { status } = answer
    if (status === 304 && etag !== undefined) {
      await discard(answer)
      return { changed: false }
    }
    if (status === 200) {
      const text = await guarded(url, () => readText(publicUrl(url), answer.body))
      return { changed: true, text, etag: answer.headers.get('etag') ?? undefined }
    }
    await discard(answer)
    const location = answer.headers.get('location')
    if (![301, 302, 303, 307, 308].includes(status) || location === null) throw unexpectedStatus(url, status)
    url = redirectTarget(url, location)
  }
  throw new RepositoryError(`${publicUrl(start)} redirects more than ${maxRedirects} times`)
}

/** Loaded when the first repository is asked: most gateways have none of this kind. */
const undiciGet: HttpGet = async (url, init) => {
  const { fetch } = await import('undici')
  return fetch(url, init)
}

function requestInit(start: URL, url: URL, etag: string | undefined, signal: AbortSignal): HttpGetInit {
  const headers: Record<string, string> = { accept: 'application/json, application/yaml;q=0.9, */*;q=0.5' }
  if (etag !== undefined) headers['if-none-match'] = etag
  // Credentials are for the server that the config names, not for wherever it redirects to.
  if (url.origin === start.origin && (start.username !== '' || start.password !== '')) {
    const credentials = `${decodeURIComponent(start.username)}:${decodeURIComponent(start.password)}`
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
  }
  return { headers, redirect: 'manual', signal }
}

function withoutCredentials(url: URL): string {
  const plain = new URL(url)
  plain.username = ''
  plain.password = ''
  return plain.href
}

/** A rule file decides who may do what: it is never taken from another kind of place, nor over a weaker connection. */
function redirectTarget(from: URL, location: string): URL {
  const to = URL.parse(location, from.href)
  if (to === null || !['http:', 'https:'].includes(to.protocol)) {
    throw new RepositoryError(`${publicUrl(from)} redirects to something that is not http:// or https://`)
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new RepositoryError(`${publicUrl(from)} redirects from https:// to http://`)
  }
  return to
}

/** Reads the rest of an answer that is not wanted, so that its connection can be used again. */
async function discard({ body }: HttpAnswer): Promise<void> {
  const iterator = body?.[Symbol.asyncIterator]()
  await iterator?.return?.()
}

function unexpectedStatus(url: URL, status: number): RepositoryError {
  const message = `${publicUrl(url)}: expected http response status code 200 but got ${status}`
  return isPassing(status) ? new TemporaryError(message) : new RepositoryError(message)
}

/** Errors of the network become errors that may be shown: node's can name the whole URL. */
async function guarded<T>(url: URL, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof RepositoryError) throw error
    const why =
      error instanceof Error && error.name === 'TimeoutError'
        ? 'did not answer in time'
        : `cannot be reached${detail(error)}`
    throw new TemporaryError(`${publicUrl(url)} ${why}`)
  }
}

function detail(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = (cause as { readonly code?: unknown } | undefined)?.code
  return typeof code === 'string' ? ` (${code})` : ''
}
