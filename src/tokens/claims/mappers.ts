import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ConfigError } from '../../pipeline/contract/config_error.ts'
import { KeyProblem } from '../key.ts'
import { keySource, type KeySource, type SourceAccess } from '../key_sources.ts'
import { type ClaimsMapper, jsonnetMapper } from './jsonnet.ts'

export interface MappersOptions extends Partial<SourceAccess> {
  /** `mappers` of the snapshot before: what can no longer be read or compiled is taken over from them. */
  readonly previous?: ReadonlyMap<string, ClaimsMapper> | undefined
}

/** A mapper that cannot be had any more, so that the previous one stays. */
export interface KeptMapper {
  /** As the config has it; may hold secrets. */
  readonly url: string
  /** What is wrong with it, and where; without secrets. */
  readonly problem: string
}

/** The claims mappers of one snapshot. */
export interface LoadedMappers {
  /**
   * Reads and compiles a mapper, each location once. Throws ConfigError.
   * @param url `file://` (absolute, or relative to the working directory), a bare path, `base64://`, `http(s)://`
   */
  load(url: string): Promise<ClaimsMapper>
  /** Every mapper that has been loaded so far, by its location. */
  readonly mappers: ReadonlyMap<string, ClaimsMapper>
  readonly kept: readonly KeptMapper[]
  /** Absolute paths of the files that mappers come from, missing ones included; to be watched. */
  readonly files: readonly string[]
  /** Reads every http(s) mapper again; true when one says something else than when it was loaded. Never rejects. */
  changed(): Promise<boolean>
}

/** A gateway makes one per snapshot and calls `changed` from time to time. */
export function createMappers(options: MappersOptions = {}): LoadedMappers {
  const access: SourceAccess = {
    fetch: options.fetch ?? fetch,
    readFile: options.readFile ?? ((path) => readFile(path, 'utf8')),
    wait: options.wait ?? ((milliseconds) => wait(milliseconds)),
  }
  const sources = new Map<string, { readonly source: KeySource; readonly loading: Promise<ClaimsMapper> }>()
  const mappers = new Map<string, ClaimsMapper>()
  const kept: KeptMapper[] = []

  async function load(url: string, source: KeySource): Promise<ClaimsMapper> {
    const previous = options.previous?.get(url)
    let mapper: ClaimsMapper
    try {
      mapper = jsonnetMapper(await read(source), source.label)
    } catch (error) {
      if (!(error instanceof ConfigError) || previous === undefined) throw error
      kept.push({ url, problem: error.message })
      mapper = previous
    }
    mappers.set(url, mapper)
    return mapper
  }

  return {
    load(url) {
      const known = sources.get(url)
      if (known !== undefined) return known.loading
      const source = keySource(url, access)
      const loading = load(url, source)
      sources.set(url, { source, loading })
      return loading
    },
    mappers,
    kept,
    get files() {
      return [...sources.values()].flatMap(({ source }) => (source.path === undefined ? [] : [resolve(source.path)]))
    },
    async changed() {
      const changes = await Promise.all(
        [...sources].map(async ([url, { source }]) => {
          if (source.kind !== 'http') return false
          // What cannot be read now is no news; the mapper in force stays.
          const now = await read(source).catch(() => undefined)
          return now !== undefined && now !== mappers.get(url)?.source
        }),
      )
      return changes.includes(true)
    },
  }
}

async function read(source: KeySource): Promise<string> {
  try {
    return await source.read()
  } catch (error) {
    if (!(error instanceof KeyProblem)) throw error
    throw new ConfigError(`The claims mapper ${source.label} cannot be read: ${error.message}`)
  }
}
