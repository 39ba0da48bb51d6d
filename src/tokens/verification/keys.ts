/**
 * The keys that verify tokens, by the URLs of their sets. A set is kept for its ttl and asked for again when it is needed;
 * who needs it waits a bounded time, and no request, whatever kid it names, makes the gateway ask more often than allowed.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { HttpClient } from '../../pipeline/contract/http_client.ts'
import type { Clock, Log } from '../../pipeline/contract/runtime.ts'
import type { Awaitable } from '../../pipeline/contract/values.ts'
import { KeyOutage, KeyProblem } from '../key.ts'
import { keySource, type KeySource, type SourceAccess } from '../key_sources.ts'
import { fetchThrough } from './fetch.ts'
import { readVerificationKeys, type VerificationKey } from './key_set.ts'

export interface LookupSettings {
  /** Milliseconds for which a set is used without asking again. */
  readonly ttl: number
  /** Milliseconds that a look-up waits for sets. */
  readonly maxWait: number
}

export type KeyLookup =
  | { readonly outcome: 'found'; readonly key: VerificationKey }
  /** All sets that there are have been looked at. */
  | { readonly outcome: 'unknown' }
  /** The key may be in a set that could not be had. */
  | { readonly outcome: 'unavailable' }

export interface VerificationKeys {
  /** The first key with this kid in the sets, in their order. Never rejects. */
  find(urls: readonly string[], kid: string, settings: LookupSettings): Awaitable<KeyLookup>
  /** Reads a set that needs no network, to say at load why it cannot be read; undefined when it can, or is elsewhere. */
  checkLocal(url: string): Promise<string | undefined>
}

interface Entry {
  readonly source: KeySource
  /** What the set last had; undefined as long as it could not be read, and when it is known to be gone. */
  keys: readonly VerificationKey[] | undefined
  /** Monotonic milliseconds. */
  readAt: number
  triedAt: number
  /** How the last try failed: `gone` is what the source itself says, `outage` says nothing about the set. */
  failure: 'gone' | 'outage' | undefined
  refreshing: Promise<void> | undefined
}

/** Sets that are remembered; more than any config has, and reloads with ever new URLs do not pile up. */
const MAX_SETS = 1000
/** Milliseconds between two tries at a set that failed, or that lacks a kid: strangers choose how often kids are unknown. */
const FAILURE_PAUSE = 1000
const UNKNOWN_KID_PAUSE = 5000
/** Milliseconds for which keys count while their set cannot be reached: a key that was withdrawn must end some time. */
const MAX_STALE = 60 * 60 * 1000

export function createVerificationKeys({
  clock,
  http,
  log,
}: {
  readonly clock: Clock
  readonly http: HttpClient
  readonly log: Log
}): VerificationKeys {
  const access: SourceAccess = {
    fetch: fetchThrough(http),
    readFile: (path) => readFile(path, 'utf8'),
    wait: async (milliseconds) => {
      await delay(milliseconds, undefined, { ref: false })
    },
  }
  const entries = new LRUCache<string, Entry>({ max: MAX_SETS })

  const entryOf = (url: string): Entry => {
    const known = entries.get(url)
    if (known !== undefined) return known
    const entry: Entry = {
      source: keySource(url, access),
      keys: undefined,
      readAt: Number.NEGATIVE_INFINITY,
      triedAt: Number.NEGATIVE_INFINITY,
      failure: undefined,
      refreshing: undefined,
    }
    entries.set(url, entry)
    return entry
  }

  /** Never rejects: nobody may be waiting for it. */
  const refresh = async (entry: Entry): Promise<void> => {
    const { source } = entry
    try {
      entry.keys = readVerificationKeys(await source.read())
      entry.readAt = clock.monotonic()
      entry.failure = undefined
    } catch (error) {
      const gone = error instanceof KeyProblem && !(error instanceof KeyOutage)
      entry.failure = gone ? 'gone' : 'outage'
      // A set that is said to be gone, or to be something else, has no keys any more; one that is out of reach has.
      if (gone) entry.keys = undefined
      const problem = error instanceof KeyProblem ? error.message : 'could not be read'
      log.warn({ key_set: source.label, problem }, 'A key set that verifies tokens could not be read')
    } finally {
      entry.triedAt = clock.monotonic()
      entry.refreshing = undefined
    }
  }

  const refreshAfter = (entry: Entry, pause: number): void => {
    if (entry.refreshing === undefined && clock.monotonic() - entry.triedAt >= pause) entry.refreshing = refresh(entry)
  }

  return {
    async checkLocal(url) {
      const entry = entryOf(url)
      if (entry.source.kind === 'http') return undefined
      try {
        readVerificationKeys(await entry.source.read())
        return undefined
      } catch (error) {
        if (!(error instanceof KeyProblem)) throw error
        return `${entry.source.label}: ${error.message}`
      }
    },
    find(urls, kid, settings) {
      const sets = urls.map(entryOf)
      const isFresh = (entry: Entry): boolean =>
        entry.keys !== undefined && clock.monotonic() - entry.readAt < settings.ttl
      const isUsable = (entry: Entry): boolean =>
        isFresh(entry) ||
        (entry.keys !== undefined &&
          (entry.failure === 'outage' || entry.refreshing !== undefined) &&
          clock.monotonic() - entry.readAt < MAX_STALE + settings.ttl)
      const findIn = (usable: (entry: Entry) => boolean): VerificationKey | undefined => {
        for (const entry of sets) {
          const key = usable(entry) ? entry.keys?.find((candidate) => candidate.kid === kid) : undefined
          if (key !== undefined) return key
        }
        return undefined
      }

      for (const entry of sets) {
        if (!isFresh(entry)) refreshAfter(entry, entry.failure === undefined ? 0 : FAILURE_PAUSE)
      }
      const key = findIn(isFresh)
      if (key !== undefined) return { outcome: 'found', key }
      // While a set is known to be out of reach, nobody waits for it to come back.
      const stale = findIn((entry) => entry.failure === 'outage' && isUsable(entry))
      if (stale !== undefined) return { outcome: 'found', key: stale }
      for (const entry of sets) refreshAfter(entry, UNKNOWN_KID_PAUSE)

      const conclude = (): KeyLookup => {
        const late = findIn(isUsable)
        if (late !== undefined) return { outcome: 'found', key: late }
        const known = sets.some(isUsable)
        const hidden = sets.some(
          (entry) => !isUsable(entry) && (entry.failure === 'outage' || entry.refreshing !== undefined),
        )
        return known && !hidden ? { outcome: 'unknown' } : { outcome: 'unavailable' }
      }
      const pending = sets.flatMap(({ refreshing }) => refreshing ?? [])
      if (pending.length === 0) return conclude()
      return waitFor(pending, () => findIn(isFresh) !== undefined, settings.maxWait).then(conclude)
    },
  }
}

/** Resolves when all are settled, when one that has is enough, or when the time is up. */
function waitFor(pending: readonly Promise<void>[], isEnough: () => boolean, maxWait: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = pending.length
    const timer = setTimeout(resolve, maxWait)
    const settle = (): void => {
      left--
      if (left > 0 && !isEnough()) return
      clearTimeout(timer)
      resolve()
    }
    for (const refresh of pending) refresh.then(settle, reject)
  })
}
