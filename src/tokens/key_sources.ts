import { KeyOutage, KeyProblem } from './key.ts'

export interface SourceAccess {
  readonly fetch: typeof globalThis.fetch
  /** Contents of a file, as text. */
  readonly readFile: (path: string) => Promise<string>
  /** Resolves after so many milliseconds; between two tries. */
  readonly wait: (milliseconds: number) => Promise<void>
}

/** Where a key set is read from. */
export interface KeySource {
  readonly kind: 'file' | 'inline' | 'http' | 'unknown'
  /** The location without secrets: no credentials, no query, no inline keys. */
  readonly label: string
  /** Path of the file, absolute or relative to the working directory. */
  readonly path?: string
  /** Throws KeyProblem. */
  read(): Promise<string>
}

const maxBytes = 1024 * 1024
const attemptTimeout = 15_000
/** Milliseconds before the second and the third try. */
const pauses = [200, 800]

/**
 * Understands Oathkeeper's locations of key sets: `file://` (absolute, or relative to the working directory), a bare
 * path, `base64://` and `http(s)://`.
 */
export function keySource(location: string, access: SourceAccess): KeySource {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//iu.exec(location)?.[1]?.toLowerCase()
  if (scheme === undefined || scheme === 'file') return fileSource(location, scheme === 'file', access)
  if (scheme === 'base64') return inlineSource(location.slice('base64://'.length))
  if (scheme === 'http' || scheme === 'https') return httpSource(location, access)
  return {
    kind: 'unknown',
    label: `${scheme}://`,
    read: () =>
      Promise.reject(new KeyProblem(`unsupported scheme "${scheme}"; use file://, base64://, http:// or https://`)),
  }
}

function fileSource(location: string, isUrl: boolean, { readFile }: SourceAccess): KeySource {
  const path = isUrl ? decoded(location.slice('file://'.length)) : location
  return {
    kind: 'file',
    label: location,
    path,
    read: async () => {
      try {
        return limited(await readFile(path))
      } catch (error) {
        if (error instanceof KeyProblem) throw error
        const code = (error as { code?: unknown }).code
        throw new KeyProblem(code === 'ENOENT' ? 'the file does not exist' : `cannot be read (${String(code)})`)
      }
    },
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function inlineSource(text: string): KeySource {
  return {
    kind: 'inline',
    label: 'base64://[redacted]',
    read: () => {
      const compact = text.replaceAll(/[\r\n]/gu, '')
      if (!/^[A-Za-z0-9+/_-]*={0,2}$/u.test(compact)) return Promise.reject(new KeyProblem('is not valid base64'))
      return Promise.resolve(Buffer.from(compact, 'base64').toString())
    },
  }
}

function httpSource(location: string, access: SourceAccess): KeySource {
  const url = URL.canParse(location) ? new URL(location) : undefined
  if (url === undefined) {
    return { kind: 'unknown', label: 'http(s)://', read: () => Promise.reject(new KeyProblem('is not a valid URL')) }
  }
  // fetch refuses URLs with credentials; Oathkeeper sends them as basic authentication.
  const headers: Record<string, string> = { accept: 'application/jwk-set+json, application/json' }
  if (url.username !== '' || url.password !== '') {
    const credentials = `${decoded(url.username)}:${decoded(url.password)}`
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
    url.username = ''
    url.password = ''
  }
  return { kind: 'http', label: url.origin + url.pathname, read: () => fetchPatiently(url, headers, access) }
}

async function fetchPatiently(url: URL, headers: Record<string, string>, access: SourceAccess): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetchOnce(url, headers, access.fetch)
    } catch (error) {
      const pause = pauses[attempt]
      if (error instanceof KeyProblem || pause === undefined) {
        throw error instanceof KeyProblem ? error : new KeyOutage(transient(error))
      }
      await access.wait(pause)
    }
  }
}

const transient = (error: unknown): string =>
  error instanceof RetryableStatus ? `answered with status ${error.status}` : 'could not be fetched'

class RetryableStatus extends Error {
  readonly status: number
  constructor(status: number) {
    super(`status ${status}`)
    this.status = status
  }
}

async function fetchOnce(url: URL, headers: Record<string, string>, fetch: SourceAccess['fetch']): Promise<string> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(attemptTimeout) })
  if (!response.ok) {
    await response.body?.cancel()
    if (response.status === 429 || response.status >= 500) throw new RetryableStatus(response.status)
    throw new KeyProblem(`answered with status ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let size = 0
  // Leaving the loop by an exception cancels the body.
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

const tooLarge = (): KeyProblem => new KeyProblem(`is larger than ${maxBytes} bytes`)

function limited(text: string): string {
  if (text.length > maxBytes) throw tooLarge()
  return text
}
