import type { JWK } from 'jose'
import { GatewayError } from '../errors.ts'
import type { KeySet, SigningKey } from '../pipeline/contract/keys.ts'
import { importSigningKey, KeyProblem, publicHalf, readKey, type KeyEntry } from './key.ts'
import { describeKeys, isScheduled, nextChange, notEnded, scheduledKey } from './schedule.ts'

/**
 * Makes a key set of the text of a JWKS (RFC 7517 section 5) or of a single JWK.
 * Never rejects: a text that is no usable key set gives a set that says why.
 * @param url where the text came from, in a form that may be logged
 * @param now epoch milliseconds, for keys that begin or end at a certain time
 */
export async function readKeySet(text: string, url: string, now = Date.now()): Promise<KeySet> {
  let entries: readonly KeyEntry[]
  let published: readonly KeyEntry[]
  try {
    entries = parseKeys(text)
    published = notEnded(entries, now)
  } catch (error) {
    return unreadableKeySet(url, problemOf(error))
  }
  const publicKeys = published.map(publicHalf).filter((jwk) => jwk !== undefined)
  const signing = await chosen(url, () => chooseSigningKey(entries, now))
  const first = await chosen(url, () => chooseFirstKey(entries, now))
  const keys = describeKeys(entries, signing.entry, now)
  const changesAt = nextChange(keys, now)
  return { url, publicKeys, problem: undefined, keys, changesAt, signingKey: signing.key, firstKey: first.key }
}

interface Chosen {
  readonly entry: KeyEntry | undefined
  /** The key, or the error that says why there is none. */
  readonly key: () => SigningKey
}

async function chosen(url: string, choose: () => Choice): Promise<Chosen> {
  try {
    const { entry, kid } = choose()
    const key = await importSigningKey(entry, kid)
    return { entry, key: () => key }
  } catch (error) {
    return { entry: undefined, key: unavailable(url, problemOf(error)) }
  }
}

/** A key set that could not be read at all: it has no keys and says why. */
export function unreadableKeySet(url: string, problem: string): KeySet {
  const none = unavailable(url, problem)
  return { url, publicKeys: [], problem, keys: [], changesAt: undefined, signingKey: none, firstKey: none }
}

function unavailable(url: string, problem: string): () => SigningKey {
  return () => {
    throw new GatewayError('signing_key_unavailable', { reason: `${url}: ${problem}` })
  }
}

function problemOf(error: unknown): string {
  if (error instanceof KeyProblem) return error.message
  throw error
}

/** Throws KeyProblem. */
export function parseKeys(text: string): readonly KeyEntry[] {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // The parser's message is left out: it quotes the text, which holds the private key.
    throw new KeyProblem('is not JSON; expected a JSON Web Key Set such as {"keys": [...]}')
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new KeyProblem('is not a JSON Web Key Set; expected an object with "keys"')
  }
  const keys = 'keys' in document ? document.keys : 'kty' in document ? [document] : undefined
  if (!Array.isArray(keys)) throw new KeyProblem('is not a JSON Web Key Set; expected a list "keys"')
  if (keys.length === 0) throw new KeyProblem('credentials: no suitable key could be found: the set is empty')
  return keys.map((key: unknown, index) => readKey(key, index + 1))
}

/** The key that signs, and the name under which it does. */
interface Choice {
  readonly entry: KeyEntry
  readonly kid: string
}

/** By the keys' own times when they have some, else as Oathkeeper chooses. */
export function chooseSigningKey(entries: readonly KeyEntry[], now: number): Choice {
  if (!isScheduled(entries)) return chooseByOrder(entries)
  const entry = scheduledKey(entries, now)
  return { entry, kid: entry.kid }
}

/** By the keys' own times when they have some, else as Kratos chooses: the first key, whatever it says of its use. */
function chooseFirstKey(entries: readonly KeyEntry[], now: number): Choice {
  const [first] = entries
  const entry = isScheduled(entries) ? scheduledKey(entries, now) : first
  if (entry === undefined || entry.role === 'public') {
    throw new KeyProblem('credentials: no suitable key could be found: the first key of the set is a public one')
  }
  return { entry, kid: entry.kid }
}

/**
 * Oathkeeper's choice: the keys are gone through in order, a private or symmetric one becomes the signing key, a public
 * or symmetric one gives the kid, until both are known. So in a set of private keys alone the last one signs, and beside
 * a public key the token carries the public key's kid.
 */
function chooseByOrder(entries: readonly KeyEntry[]): Choice {
  let signing: KeyEntry | undefined
  let kid = ''
  for (const entry of entries) {
    if (entry.role !== 'public') signing = entry
    if (entry.role !== 'private') kid = entry.kid
    if (signing !== undefined && kid !== '') break
  }
  if (signing === undefined) {
    throw new KeyProblem('credentials: no suitable key could be found: the set has no private or symmetric key')
  }
  if (signing.kid === '') {
    throw new KeyProblem('credentials: no suitable key could be found: the private key has no "kid"')
  }
  return { entry: signing, kid: kid === '' ? signing.kid : kid }
}

/** The public halves of all sets without repetitions (RFC 7517 section 5). */
export function publishedKeys(sets: Iterable<KeySet>): { keys: JWK[] } {
  const keys = new Map<string, JWK>()
  for (const set of sets) for (const jwk of set.publicKeys) keys.set(JSON.stringify(jwk), jwk)
  return { keys: [...keys.values()] }
}

/** Seconds for which verifiers may keep the published keys. A new key must be published this long before it signs. */
export const publishedKeysMaxAge = 300

/**
 * `Cache-Control` of the published keys. Never absent and never zero: Hasura fetches a set without it only once, and one
 * with `no-cache` every second.
 */
export const publishedKeysCacheControl = `public, max-age=${publishedKeysMaxAge}`
