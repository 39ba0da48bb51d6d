import { resolve } from 'node:path'
import type { Problem } from '../documents/problem.ts'
import { type ClientTls, loadClientTls, type TlsFiles, TlsFileError, type TlsPart } from '../outbound/tls.ts'
import type { Shared } from './contract/setup.ts'

export interface LoadedTls {
  /** Absent when the files cannot be used. */
  readonly tls?: ClientTls
  readonly problems: readonly Problem[]
}

/** Loads the TLS files of the upstreams of one snapshot; each set of files once. */
export interface UpstreamTlsLoader {
  /** `placeOf` says where a file is named. Never rejects for what is wrong with the files. */
  load(files: TlsFiles, placeOf: (part: TlsPart) => Problem['place']): Promise<LoadedTls>
  /** Absolute paths of all files that were asked for, also of those that do not exist. */
  readonly files: ReadonlySet<string>
}

/** Files that are being replaced may not fit together for a moment: what they were before then stays in use. */
export function createUpstreamTlsLoader(shared: Shared): UpstreamTlsLoader {
  const lastGood = shared(lastGoodOnes)
  const asked = new Map<string, Promise<ClientTls | TlsFileError>>()
  const files = new Set<string>()
  return {
    files,
    async load(wanted, placeOf) {
      const key = JSON.stringify([wanted.ca, wanted.cert, wanted.key])
      for (const path of Object.values(wanted)) if (path !== undefined) files.add(resolve(path))
      let loading = asked.get(key)
      if (loading === undefined) asked.set(key, (loading = attempt(wanted)))
      const result = await loading
      if (!(result instanceof TlsFileError)) {
        lastGood.set(key, result)
        return { tls: result, problems: [] }
      }
      const place = placeOf(result.part)
      const tls = lastGood.get(key)
      const problem = { message: result.message, ...(place !== undefined && { place }) }
      if (tls === undefined) return { problems: [{ severity: 'error', ...problem }] }
      const hint = 'What the files held before stays in use.'
      return { tls, problems: [{ severity: 'warning', hint, ...problem }] }
    },
  }
}

const lastGoodOnes = (): Map<string, ClientTls> => new Map()

async function attempt(files: TlsFiles): Promise<ClientTls | TlsFileError> {
  try {
    return await loadClientTls(files)
  } catch (error) {
    if (error instanceof TlsFileError) return error
    throw error
  }
}
