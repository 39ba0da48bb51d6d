/** Rules from a web server: bounded in time, size, tries and redirects, and asked for only when they changed. */
import { setTimeout as delay } from 'node:timers/promises'
import { fetch } from 'undici'
import { publicUrl, RepositoryError } from './repository.ts'

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

export interface FetchRulesOptions {
  readonly get?: HttpGet | undefined
  /** The ETag of what is known already. */
  readonly etag?: string | undefined
  /** How often to try again when the server cannot be reached or is in trouble. Default 4. */
  readonly retries?: number | undefined
  /** Milliseconds before the first retry, doubled each time up to 30 s. Default 1,000. */
  readonly retryDelay?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type FetchedRules =
  | { readonly changed: true; readonly text: string; readonly etag: string | undefined }
  /** The server says that what has this ETag is still current. */
  | { readonly changed: false }

const attemptTimeout = 10_000
const maxRetryDelay = 30_000
const maxBytes = 5 * 1024 * 1024
const maxRedirects = 5

/** A failure that may pass by itself. */
class TemporaryError extends RepositoryError {}

/** Takes an http(s) URL, which may contain credentials for Basic authentication. Rejects with RepositoryError. */
export async function fetchRules(url: URL, options: FetchRulesOptions = {}): Promise<FetchedRules> {
  const { retries = 4, retryDelay = 1000, signal } = options
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetchOnce(url, options)
    } catch (error) {
      if (!(error instanceof TemporaryError) || attempt >= retries || signal?.aborted === true) throw error
      await delay(
        Math.min(retryDelay * 2 ** attempt, maxRetryDelay),
        undefined,
        signal === undefined ? {} : { signal },
      ).catch(() => {
        throw error
      })
    }
  }
}

async function fetchOnce(start: URL, { get = undiciGet, etag, signal }: FetchRulesOptions): Promise<FetchedRules> {
  const timeout = AbortSignal.timeout(attemptTimeout)
  const bounded = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
  let url = start
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const answer = await guarded(url, () => get(withoutCredentials(url), requestInit(start, url, etag, bounded)))
    const { status } = answer
    if (status === 304 && etag !== undefined) {
      await discard(answer)
      return { changed: false }
    }
    if (status === 200) {
      const text = await guarded(url, () => readText(url, answer))
      return { changed: true, text, etag: answer.headers.get('etag') ?? undefined }
    }
    await discard(answer)
    const location = answer.headers.get('location')
    if (![301, 302, 303, 307, 308].includes(status) || location === null) throw unexpectedStatus(url, status)
    url = redirectTarget(url, location)
  }
  throw new RepositoryError(`${publicUrl(start)} redirects more than ${maxRedirects} times`)
}

const undiciGet: HttpGet = (url, init) => fetch(url, init)

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

async function readText(url: URL, { body }: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new RepositoryError(`${publicUrl(url)} sent more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Reads the rest of an answer that is not wanted, so that its connection can be used again. */
async function discard({ body }: HttpAnswer): Promise<void> {
  const iterator = body?.[Symbol.asyncIterator]()
  await iterator?.return?.()
}

function unexpectedStatus(url: URL, status: number): RepositoryError {
  const message = `${publicUrl(url)}: expected http response status code 200 but got ${status}`
  const temporary = status === 429 || (status >= 500 && status !== 501)
  return temporary ? new TemporaryError(message) : new RepositoryError(message)
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
