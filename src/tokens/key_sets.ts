import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { GatewayError } from '../errors.ts'
import type { KeySet, KeySets } from '../pipeline/contract/keys.ts'
import { KeyProblem } from './key.ts'
import { readKeySet, unreadableKeySet } from './key_set.ts'
import { keySource, type KeySource, type SourceAccess } from './key_sources.ts'

export interface KeySetsOptions extends Partial<SourceAccess> {
  /** `sets` of the snapshot before: what can no longer be read or no longer sign is taken over from them. */
  readonly previous?: ReadonlyMap<string, KeySet> | undefined
  /** Epoch milliseconds, for keys that begin or end at a certain time. */
  readonly now?: () => number
}

/** A set that cannot be read or cannot sign, so that the previous one stays. */
export interface KeptKeySet {
  /** As the config has it; may hold secrets. */
  readonly url: string
  /** What is wrong with it, and where; without secrets. */
  readonly problem: string
}

/** A set and what the config does with it. */
export interface KeySetUse {
  /** As the config has it; may hold secrets. */
  readonly url: string
  readonly set: KeySet
  /** Absolute path of the file that it comes from, if it comes from one. */
  readonly path: string | undefined
  /** The longest lifetime of tokens that it signs, milliseconds; undefined when it signs none. */
  readonly lifetime: number | undefined
}

/** The key sets of one snapshot. */
export interface LoadedKeySets extends KeySets {
  /** Every set that has been loaded so far, by its location. */
  readonly sets: ReadonlyMap<string, KeySet>
  readonly kept: readonly KeptKeySet[]
  /** Absolute paths of the files that the sets come from, missing ones included; to be watched. */
  readonly files: readonly string[]
  /** What each set is used for. */
  readonly uses: readonly KeySetUse[]
  /** When a key of some set begins to sign or ends, epoch milliseconds; undefined when none ever does. */
  readonly changesAt: number | undefined
  /** Reads every http(s) set again; true when one says something else than when it was loaded. Never rejects. */
  changed(): Promise<boolean>
}

interface Entry {
  readonly source: KeySource
  readonly loading: Promise<KeySet>
  /** What the source said; undefined as long as it could not be read. */
  text?: string | undefined
  /** Milliseconds. */
  lifetime?: number
}

/**
 * Key sets by location, each read once. Files are read relative to the working directory.
 * A gateway makes one per snapshot and calls `changed` from time to time.
 */
export function createKeySets(options: KeySetsOptions = {}): LoadedKeySets {
  const access: SourceAccess = {
    fetch: options.fetch ?? fetch,
    readFile: options.readFile ?? ((path) => readFile(path, 'utf8')),
    wait: options.wait ?? ((milliseconds) => wait(milliseconds)),
  }
  const now = options.now ?? Date.now
  const entries = new Map<string, Entry>()
  const sets = new Map<string, KeySet>()
  const kept: KeptKeySet[] = []

  async function load(url: string, source: KeySource): Promise<KeySet> {
    const { set: fresh, text } = await readFresh(source, now())
    const previous = options.previous?.get(url)
    const problem = whyNot(fresh)
    const keep = previous !== undefined && problem !== undefined && whyNot(previous) === undefined
    if (keep) kept.push({ url, problem })
    const set = keep ? previous : fresh
    sets.set(url, set)
    const entry = entries.get(url)
    if (entry !== undefined) entry.text = text
    return set
  }

  return {
    load(url, lifetime) {
      let entry = entries.get(url)
      if (entry === undefined) {
        const source = keySource(url, access)
        // The entry is there before `load` resumes after its first await.
        entry = { source, loading: load(url, source) }
        entries.set(url, entry)
      }
      if (lifetime !== undefined) entry.lifetime = Math.max(lifetime, entry.lifetime ?? 0)
      return entry.loading
    },
    sets,
    kept,
    get uses() {
      return [...entries].flatMap(([url, { source, lifetime }]): KeySetUse[] => {
        const set = sets.get(url)
        const path = source.path === undefined ? undefined : resolve(source.path)
        return set === undefined ? [] : [{ url, set, path, lifetime }]
      })
    },
    get changesAt() {
      const moments = [...sets.values()].flatMap(({ changesAt }) => changesAt ?? [])
      return moments.length === 0 ? undefined : Math.min(...moments)
    },
    get files() {
      return [...entries.values()].flatMap(({ source }) => (source.path === undefined ? [] : [resolve(source.path)]))
    },
    async changed() {
      const remote = [...entries.values()].filter(({ source }) => source.kind === 'http')
      const changes = await Promise.all(
        remote.map(async ({ source, text }) => {
          const fresh = (await readFresh(source, now())).text
          return fresh !== undefined && fresh !== text
        }),
      )
      return changes.includes(true)
    },
  }
}

async function readFresh(source: KeySource, now: number): Promise<{ set: KeySet; text?: string }> {
  try {
    const text = await source.read()
    return { set: await readKeySet(text, source.label, now), text }
  } catch (error) {
    if (!(error instanceof KeyProblem)) throw error
    return { set: unreadableKeySet(source.label, error.message) }
  }
}

/** Why the set cannot sign; undefined when it can. */
function whyNot(set: KeySet): string | undefined {
  try {
    set.signingKey()
    return undefined
  } catch (error) {
    return error instanceof GatewayError ? error.reason : String(error)
  }
}
