/**
 * Rules from object storage, by the vendors' own clients: they know every way in which credentials can be given. The clients
 * are optional peer dependencies, loaded when a config first names such a repository.
 */
import type { Environment } from '../../documents/interpolate.ts'
import { openAzureBlob } from './azure_blob.ts'
import {
  attempt,
  type FetchOptions,
  type ImportPackage,
  isPassing,
  type ReadObject,
  type RemoteSource,
  TemporaryError,
} from './fetching.ts'
import { openGcs } from './gcs.ts'
import type { ObjectService, ObjectUrl } from './object_url.ts'
import { RepositoryError } from './repository_error.ts'
import { openS3 } from './s3.ts'

const open: Readonly<
  Record<ObjectService, (url: ObjectUrl, load: ImportPackage, env: Environment) => Promise<ReadObject>>
> = { s3: openS3, gs: openGcs, azblob: openAzureBlob }

/** Makes the client for one object. Rejects with RepositoryError when its package is missing or the URL does not fit it. */
export async function openObject(
  url: ObjectUrl,
  env: Environment,
  load: ImportPackage = (name) => import(name),
): Promise<RemoteSource> {
  const read = await open[url.service](url, (name) => loadClient(url, name, load), env)
  return ({ etag, ...tries }: FetchOptions) =>
    attempt(async (signal) => {
      try {
        return await within(signal, read(etag, signal))
      } catch (error) {
        if (error instanceof RepositoryError) throw error
        if (etag !== undefined && statusOf(error) === 304) return { changed: false }
        throw explain(url, error)
      }
    }, tries)
}

async function loadClient(url: ObjectUrl, name: string, load: ImportPackage): Promise<unknown> {
  try {
    return await load(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new RepositoryError(`${url.name} needs the package ${name}, which is not installed`, `npm install ${name}`)
  }
}

/** Not all of what a client does before and beside the call itself, such as asking for credentials, heeds a signal. */
function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

/** The vendors' messages are left out: some quote the request, with whatever signs it. */
function explain({ name }: ObjectUrl, error: unknown): RepositoryError {
  const status = statusOf(error)
  if (status === 404) return new RepositoryError(`${name} does not exist`)
  if (status === 401 || status === 403) {
    return new RepositoryError(
      `${name} may not be read (status ${status})`,
      'Check the credentials and what they are allowed to.',
    )
  }
  if (status !== undefined) {
    const message = `${name}: expected status code 200 but got ${status}`
    return isPassing(status) ? new TemporaryError(message) : new RepositoryError(message)
  }
  const {
    name: kind,
    message,
    code,
  } = error as { readonly name?: unknown; readonly message?: unknown; readonly code?: unknown }
  if (message === 'Region is missing') {
    return new RepositoryError(`${name} has no region`, 'Add ?region=… to the URL, or set AWS_REGION.')
  }
  if (kind === 'CredentialsProviderError' || (typeof message === 'string' && /default credentials/.test(message))) {
    return new RepositoryError(
      `There are no credentials for ${name}`,
      "Give them the way the vendor's tools take them, or add ?anonymous=true.",
    )
  }
  if (kind === 'TimeoutError' || kind === 'AbortError') return new TemporaryError(`${name} did not answer in time`)
  return new TemporaryError(`${name} cannot be reached${typeof code === 'string' ? ` (${code})` : ''}`)
}

/** Where each of the clients puts the status of an answer. */
function statusOf(error: unknown): number | undefined {
  const { $metadata, statusCode, code } = error as {
    readonly $metadata?: { readonly httpStatusCode?: unknown }
    readonly statusCode?: unknown
    readonly code?: unknown
  }
  return [$metadata?.httpStatusCode, statusCode, code].find((found) => typeof found === 'number')
}
