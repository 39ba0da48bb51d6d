/**
 * When the keys of a set sign, and how long they are published: their own `nbf` and `exp`, epoch seconds, as OpenID
 * Federation 1.0 section 8.7.2 has them in keys. A set whose private keys have neither is chosen from by its order alone.
 */
import type { JWK } from 'jose'
import type { KeyInfo } from '../pipeline/contract/keys.ts'
import { KeyProblem, type KeyEntry } from './key.ts'

/** Epoch milliseconds. */
export interface KeyTimes {
  /** Not before this moment does it sign. */
  readonly signsFrom: number | undefined
  /** From this moment on it neither signs nor is published. */
  readonly endsAt: number | undefined
}

/** Throws KeyProblem for a time that is none: a key that signs for ever by mistake is worse than one that does not. */
export function timesOf({ jwk, kid }: KeyEntry): KeyTimes {
  const members = jwk as JWK & { readonly nbf?: unknown; readonly exp?: unknown }
  const time = (name: 'nbf' | 'exp'): number | undefined => {
    const value = members[name]
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value * 1000
    throw new KeyProblem(`key ${JSON.stringify(kid)} has no valid "${name}"; expected seconds since 1970`)
  }
  return { signsFrom: time('nbf'), endsAt: time('exp') }
}

export const canSign = ({ role }: KeyEntry): boolean => role !== 'public'

/** Whether times decide which key signs. */
export const isScheduled = (entries: readonly KeyEntry[]): boolean =>
  entries.some((entry) => canSign(entry) && ('nbf' in entry.jwk || 'exp' in entry.jwk))

/** The keys that have not ended. Throws KeyProblem. */
export const notEnded = (entries: readonly KeyEntry[], now: number): readonly KeyEntry[] =>
  entries.filter((entry) => (timesOf(entry).endsAt ?? Infinity) > now)

/**
 * The key that signs by the times: of those that have begun and not ended the one that began last, of several the one that
 * comes last. Throws KeyProblem when there is none.
 */
export function scheduledKey(entries: readonly KeyEntry[], now: number): KeyEntry {
  let chosen: KeyEntry | undefined
  let latest = -Infinity
  for (const entry of notEnded(entries, now)) {
    const from = timesOf(entry).signsFrom ?? 0
    if (!canSign(entry) || from > now || from < latest) continue
    chosen = entry
    latest = from
  }
  if (chosen === undefined) {
    throw new KeyProblem(
      'credentials: no suitable key could be found: no private key of the set has begun and not ended',
    )
  }
  if (chosen.kid === '') {
    throw new KeyProblem('credentials: no suitable key could be found: the private key has no "kid"')
  }
  return chosen
}

/** The keys as operators see them. `signing` is the one that signs now. Throws KeyProblem. */
export function describeKeys(
  entries: readonly KeyEntry[],
  signing: KeyEntry | undefined,
  now: number,
): readonly KeyInfo[] {
  return entries.map((entry) => {
    const { signsFrom, endsAt } = timesOf(entry)
    return {
      kid: entry.kid,
      kty: entry.jwk.kty ?? '',
      alg: entry.jwk.alg ?? '',
      state: entry === signing ? 'signing' : stateOf(entry, { signsFrom, endsAt }, now),
      signsFrom,
      endsAt,
    }
  })
}

function stateOf(entry: KeyEntry, { signsFrom = 0, endsAt }: KeyTimes, now: number): KeyInfo['state'] {
  if (endsAt !== undefined && endsAt <= now) return 'ended'
  if (canSign(entry) && signsFrom > now) return 'next'
  return endsAt === undefined ? 'published' : 'retired'
}

/** The next moment at which a key begins or ends, epoch milliseconds; undefined when there is none. */
export function nextChange(keys: readonly KeyInfo[], now: number): number | undefined {
  const moments = keys.flatMap(({ signsFrom = 0, endsAt = 0 }) => [signsFrom, endsAt]).filter((moment) => moment > now)
  return moments.length === 0 ? undefined : Math.min(...moments)
}
