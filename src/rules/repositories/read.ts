/** Reads one repository, wherever it is. */
import type { Environment } from '../../documents/interpolate.ts'
import type { ImportPackage, RemoteSource } from './fetching.ts'
import { readRuleFile } from './file.ts'
import { fetchRules, type HttpGet } from './http.ts'
import { decodeInlineRules } from './inline.ts'
import { openObject } from './objects.ts'
import type { Repository } from './repository.ts'

export interface ReadOptions {
  /** Where the settings of Azure are read from. */
  readonly env?: Environment
  readonly get?: HttpGet
  /** Loads the clients of object storage. Default: `import`. */
  readonly importPackage?: ImportPackage
  /** As of fetchRules; on a reload nothing is tried twice. */
  readonly retries?: number
  readonly retryDelay?: number
  readonly signal?: AbortSignal
}

/** A repository on another machine, as it was when it was last read. */
export interface RemoteState {
  /** Asks it again. */
  readonly source: RemoteSource
  readonly text: string
  /** Where the server sends one. */
  readonly etag: string | undefined
}

/** What a repository holds now. */
interface Content {
  readonly text: string
  readonly remote?: RemoteState
}

/** Takes what is known of a remote repository from its last reading. Rejects with RepositoryError. */
export async function readRepository(
  repository: Repository,
  known: RemoteState | undefined,
  options: ReadOptions,
): Promise<Content> {
  if (repository.kind === 'file') return { text: await readRuleFile(repository.path) }
  if (repository.kind === 'inline') return { text: decodeInlineRules(repository.encoded) }
  const { retries, retryDelay, signal } = options
  const source = known?.source ?? (await openRemote(repository, options))
  const fetched = await source({
    etag: known?.etag,
    retries: known === undefined ? retries : 0,
    retryDelay,
    signal,
  })
  // Decoded again even when it is the same: the settings by which it is decoded may have changed.
  const { text, etag } = fetched.changed ? fetched : { text: known?.text ?? '', etag: known?.etag }
  return { text, remote: { source, text, etag } }
}

async function openRemote(
  repository: Repository & { readonly kind: 'http' | 'object' },
  { get, env = {}, importPackage }: ReadOptions,
): Promise<RemoteSource> {
  if (repository.kind === 'object') return openObject(repository.url, env, importPackage)
  const { url } = repository
  return (options) => fetchRules(url, { get, ...options })
}
