/** What has to follow whenever keys have been loaded: the next moment that one begins or ends, the cache, and the export. */
import type { KeySet, SigningKey } from '../pipeline/contract/keys.ts'
import type { Clock, Log } from '../pipeline/contract/runtime.ts'
import type { TokenCache } from '../pipeline/contract/tokens.ts'
import { createKeyExport, type KeyExportSettings } from './key_export.ts'
import { publishedKeys, publishedKeysMaxAge } from './key_set.ts'

export interface KeyUpkeepOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly tokens: Pick<TokenCache, 'keepSignedBy'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** Called when a key begins to sign or ends: the sets have to be loaded anew. */
  readonly onDue: () => void
}

export interface KeyUpkeep {
  /** The sets in force. Resolves when their public keys have been exported, if they are. */
  settle(sets: readonly KeySet[], exportSettings: KeyExportSettings | undefined): Promise<void>
  close(): void
}

/** Milliseconds. Clocks are set, and timers run long: how far off a moment is is looked at again before that. */
const LONGEST_WAIT = 60_000

export function createKeyUpkeep({ clock, tokens, log, onDue }: KeyUpkeepOptions): KeyUpkeep {
  const keyExport = createKeyExport(log)
  let timer: NodeJS.Timeout | undefined
  /** Key IDs; undefined until something has been published. */
  let published: ReadonlySet<string> | undefined

  /** What verifiers have not seen they refuse, and whoever changed the keys may not know it. */
  function warnOfHaste(sets: readonly KeySet[]): void {
    const now = new Set(sets.flatMap(({ publicKeys }) => publicKeys.flatMap(({ kid }) => kid ?? [])))
    const hasty = sets
      .flatMap(({ keys }) => keys)
      .filter(({ kid, state }) => state === 'signing' && now.has(kid) && published?.has(kid) === false)
      .map(({ kid }) => kid)
    if (hasty.length > 0) {
      const message =
        'A key signs that was not published before: verifiers that keep keys refuse its tokens for a while'
      log.warn({ kids: hasty, seconds: publishedKeysMaxAge }, message)
    }
    published = now
  }

  function waitFor(moment: number): void {
    const left = moment - clock.now()
    timer = setTimeout(
      () => (left > LONGEST_WAIT ? waitFor(moment) : onDue()),
      // Never early: what is loaded before the moment is what there was.
      Math.min(Math.max(left, 0) + 1, LONGEST_WAIT),
    )
    timer.unref()
  }

  return {
    async settle(sets, exportSettings) {
      clearTimeout(timer)
      const moments = sets.flatMap(({ changesAt }) => changesAt ?? []).filter((moment) => moment > clock.now())
      if (moments.length > 0) waitFor(Math.min(...moments))
      warnOfHaste(sets)
      tokens.keepSignedBy(new Set(sets.flatMap(signingThumbprints)))
      await keyExport.update(exportSettings, publishedKeys(sets).keys)
    },
    close() {
      clearTimeout(timer)
      keyExport.close()
    },
  }
}

/** Of the keys that sign now. */
function signingThumbprints(set: KeySet): readonly string[] {
  return [() => set.signingKey(), () => set.firstKey()].flatMap((key: () => SigningKey) => {
    try {
      return key().thumbprint
    } catch {
      // A set that cannot sign has no tokens to keep.
      return []
    }
  })
}
