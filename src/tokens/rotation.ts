/**
 * The next step of a rotation that overlaps: a new key is published before it signs, and the key before it stays published
 * until the last token that it signed has expired. The times stand in the keys themselves (see `schedule.ts`), so that one
 * run decides all of it: gateways change keys at the moment that is written, whoever wrote it.
 */
import type { JWK } from 'jose'
import { generateKey } from './generate.ts'
import type { KeyEntry } from './key.ts'
import { chooseSigningKey } from './key_set.ts'
import { canSign, notEnded, timesOf } from './schedule.ts'

/** Times in milliseconds. */
export interface RotationOptions {
  /** Epoch. */
  readonly now: number
  /** How long the new key is published before it signs: as long as verifiers may keep an old set, at least. */
  readonly lead: number
  /** The longest that a token signed with the set is valid. */
  readonly lifetime: number
  /** How far behind a verifier's clock may be. */
  readonly skew: number
  /** Leaves the signing key alone until it has signed for so long. */
  readonly every?: number | undefined
  /** As that of the signing key unless given. */
  readonly alg?: string | undefined
  /** RFC 7638 thumbprint unless given. */
  readonly kid?: string | undefined
}

export interface Rotation {
  /** All keys as they are to be written. */
  readonly keys: readonly JWK[]
  /** Key IDs of those that have ended and are gone. */
  readonly removed: readonly string[]
  /** The new key, and the one that it follows. Times are epoch milliseconds. */
  readonly started?: {
    readonly kid: string
    readonly alg: string
    readonly signsFrom: number
    readonly retires: string
    readonly publishedUntil: number
  }
  /** Why none was started. */
  readonly waits?: 'next_key' | 'age'
}

/** A key with the members that `schedule.ts` reads, and `iat`: when it was made. Epoch seconds. */
type DatedKey = JWK & { readonly iat?: unknown; readonly nbf?: unknown; readonly exp?: unknown }

/**
 * Removes what has ended, and begins a rotation unless one is under way. May be run at any time, any number of times.
 * Throws KeyProblem when no key of the set can sign, or the new one cannot be made.
 */
export async function rotate(entries: readonly KeyEntry[], options: RotationOptions): Promise<Rotation> {
  const { now, lead, lifetime, skew, every = 0 } = options
  const live = notEnded(entries, now)
  const removed = entries.filter((entry) => !live.includes(entry)).map(({ kid }) => kid)
  const { entry: current } = chooseSigningKey(live, now)
  const unchanged = { keys: inOrder(live, current, now), removed }

  if (live.some((entry) => canSign(entry) && (timesOf(entry).signsFrom ?? 0) > now)) {
    return { ...unchanged, waits: 'next_key' }
  }
  if (now - (signsSince(current) ?? -Infinity) < every) return { ...unchanged, waits: 'age' }

  const signsFrom = inSeconds(now + lead)
  // What does not sign now may have signed until a moment ago: it goes with the key that does, not before it.
  const end = signsFrom + inSeconds(lifetime + skew)
  const kept = live.map((entry): KeyEntry => {
    const { endsAt = 0 } = timesOf(entry)
    if (!canSign(entry) || (entry !== current && endsAt > 0)) return entry
    const since = entry === current ? { nbf: Math.floor((signsSince(current) ?? now) / 1000) } : {}
    const jwk: DatedKey = { ...entry.jwk, ...since, exp: Math.max(end, endsAt / 1000) }
    return { ...entry, jwk }
  })
  const retiring = kept[live.indexOf(current)] as KeyEntry
  const next = await successor(current, signsFrom, options)
  return {
    keys: [next, ...inOrder(kept, retiring, now)],
    removed,
    started: {
      kid: next.kid ?? '',
      alg: next.alg ?? '',
      signsFrom: signsFrom * 1000,
      retires: current.kid,
      publishedUntil: timesOf(retiring).endsAt ?? Infinity,
    },
  }
}

/**
 * Takes all keys that can sign out of a set at once, and puts a new one in their place, which signs from now on: for a key
 * that has become known. Verifiers refuse tokens until they have seen the new key. Throws KeyProblem as `rotate`.
 */
export async function replaceAll(
  entries: readonly KeyEntry[],
  options: Pick<RotationOptions, 'now' | 'alg' | 'kid'>,
): Promise<{ readonly keys: readonly JWK[]; readonly made: JWK; readonly removed: readonly string[] }> {
  const { entry: current } = chooseSigningKey(notEnded(entries, options.now), options.now)
  const made = await successor(current, Math.floor(options.now / 1000), options)
  const others = entries.filter((entry) => !canSign(entry)).map(({ jwk }) => jwk)
  return { keys: [...others, made], made, removed: entries.filter(canSign).map(({ kid }) => kid) }
}

/** A key like the one before it, unless another algorithm is asked for. `signsFrom` is in epoch seconds. */
async function successor(
  { jwk }: KeyEntry,
  signsFrom: number,
  { now, alg = jwk.alg ?? '', kid }: Pick<RotationOptions, 'now' | 'alg' | 'kid'>,
): Promise<DatedKey> {
  const made = await generateKey({ alg, kid, bits: alg === jwk.alg ? sizeOf(jwk) : 0 })
  return { ...made, iat: Math.floor(now / 1000), nbf: signsFrom }
}

const inSeconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000)

/** Since when a key has signed as far as it says, epoch milliseconds. */
function signsSince(entry: KeyEntry): number | undefined {
  const { iat } = entry.jwk as DatedKey
  return timesOf(entry).signsFrom ?? (typeof iat === 'number' ? iat * 1000 : undefined)
}

/** Of the keys that can sign the one that does comes last: what goes by order, as Oathkeeper does, then agrees. */
function inOrder(entries: readonly KeyEntry[], current: KeyEntry, now: number): readonly JWK[] {
  const rank = (entry: KeyEntry): number =>
    entry === current ? 2 : canSign(entry) && (timesOf(entry).signsFrom ?? 0) > now ? 0 : 1
  return entries.toSorted((one, other) => rank(one) - rank(other)).map(({ jwk }) => jwk)
}

/** Bits of a key whose algorithm leaves a choice; 0 for the usual size. */
function sizeOf({ kty, n, k }: JWK): number {
  const member = kty === 'RSA' ? n : kty === 'oct' ? k : undefined
  return member === undefined ? 0 : Buffer.from(member, 'base64url').length * 8
}
