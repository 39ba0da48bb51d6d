/** What all repositories on other machines share: bounds, tries, and errors that may be shown. */
import { setTimeout as delay } from 'node:timers/promises'
import { RepositoryError } from './repository_error.ts'

export type FetchedRules =
  | { readonly changed: true; readonly text: string; readonly etag: string | undefined }
  /** The server says that what has this ETag is still current. */
  | { readonly changed: false }

/** How tries that may come to something else are repeated. */
export interface Tries {
  /** How often to try again when the server cannot be reached or is in trouble. Default 4. */
  readonly retries?: number | undefined
  /** Milliseconds before the first retry, doubled each time up to 30 s. Default 1,000. */
  readonly retryDelay?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface FetchOptions extends Tries {
  /** The ETag of what is known already. */
  readonly etag?: string | undefined
}

/** Asks one repository again; keeps its client, so that credentials are not looked up anew for each poll. Rejects with RepositoryError. */
export type RemoteSource = (options: FetchOptions) => Promise<FetchedRules>

/** Reads the object, unless it still has this ETag. Rejects with RepositoryError or with the client's own error. */
export type ReadObject = (etag: string | undefined, signal: AbortSignal) => Promise<FetchedRules>

/** Loads a module of an optional package, as `import()` does. */
export type ImportPackage = (name: string) => Promise<unknown>

const attemptTimeout = 10_000
const maxRetryDelay = 30_000
const maxBytes = 5 * 1024 * 1024

/** A failure that may pass by itself. */
export class TemporaryError extends RepositoryError {}

/** Runs attempts of at most 10 s each, until one comes to something other than a TemporaryError or the tries are used up. */
export async function attempt<T>(once: (signal: AbortSignal) => Promise<T>, tries: Tries): Promise<T> {
  const { retries = 4, retryDelay = 1000, signal } = tries
  for (let tried = 0; ; tried++) {
    const timeout = AbortSignal.timeout(attemptTimeout)
    try {
      return await once(signal === undefined ? timeout : AbortSignal.any([timeout, signal]))
    } catch (error) {
      if (!(error instanceof TemporaryError) || tried >= retries || signal?.aborted === true) throw error
      await delay(
        Math.min(retryDelay * 2 ** tried, maxRetryDelay),
        undefined,
        signal === undefined ? {} : { signal },
      ).catch(() => {
        throw error
      })
    }
  }
}

/** Reads a body as UTF-8. Rejects with RepositoryError when it is larger than any rule file should be. */
export async function readText(name: string, body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    checkSize(name, size)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Throws RepositoryError for more bytes than a rule file should have. */
export function checkSize(name: string, bytes: number): void {
  if (bytes > maxBytes) throw new RepositoryError(`${name} sent more than ${maxBytes} bytes`)
}

/** Whether a status may be another one in a moment, as Oathkeeper judges it. */
export const isPassing = (status: number): boolean => status === 429 || (status >= 500 && status !== 501)
