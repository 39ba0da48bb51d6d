/** Keys that sign, and the sets that they come from. */
import type { CryptoKey, JWK } from 'jose'

/** A private or symmetric key that signs, as chosen from its key set. */
export interface SigningKey {
  readonly kid: string
  /** JWS algorithm, RFC 7518 section 3.1. */
  readonly alg: string
  readonly key: CryptoKey | Uint8Array
  /** RFC 7638 thumbprint: tells two keys apart that share a kid. */
  readonly thumbprint: string
}

export interface KeySet {
  /** Where it comes from, without secrets. */
  readonly url: string
  /** Why it could not be read; undefined when it could, even if it has no key to sign with. */
  readonly problem: string | undefined
  /** Throws GatewayError `signing_key_unavailable` with the reason when the set has none. */
  signingKey(): SigningKey
  /** The same for tokens as Kratos makes them, where the first key of a set signs, with or without a kid. */
  firstKey(): SigningKey
  /** The public halves, ready to be published; no symmetric keys, and none that have ended. */
  readonly publicKeys: readonly JWK[]
  /** What there is in the set, private halves aside. */
  readonly keys: readonly KeyInfo[]
  /** When a key of the set begins to sign or ends, epoch milliseconds; undefined when none ever does. */
  readonly changesAt: number | undefined
}

/** One key of a set as operators see it. Times are epoch milliseconds. */
export interface KeyInfo {
  /** Empty when it has none. */
  readonly kid: string
  readonly kty: string
  /** Empty when it does not say. */
  readonly alg: string
  /**
   * `signing`; `next` signs later; `retired` has signed and is published until it ends; `published` is there for verifiers
   * only; `ended` is neither used nor published.
   */
  readonly state: 'signing' | 'next' | 'retired' | 'published' | 'ended'
  readonly signsFrom: number | undefined
  readonly endsAt: number | undefined
}

/** Loads each key set once per snapshot. */
export interface KeySets {
  /**
   * Never rejects: a set that cannot be read has no signing key and says why.
   * @param lifetime how long tokens signed with it may be valid, milliseconds; absent for a set that signs nothing
   */
  load(url: string, lifetime?: number): Promise<KeySet>
}
