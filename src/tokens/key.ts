import { calculateJwkThumbprint, CompactSign, compactVerify, importJWK, type JWK } from 'jose'
import type { SigningKey } from '../pipeline/contract/keys.ts'
import { algorithms } from './algorithms.ts'
import { isRocaModulus } from './roca.ts'

/** Why a key or a key set cannot be used, in words for the operator; never contains key material. */
export class KeyProblem extends Error {
  override readonly name = 'KeyProblem'
}

/** A key set that could not be had for now: says nothing about what is in it. */
export class KeyOutage extends KeyProblem {}

/** One entry of a key set, checked but not imported. */
export interface KeyEntry {
  readonly jwk: JWK
  readonly role: 'private' | 'public' | 'symmetric'
  /** Empty when the key has none. */
  readonly kid: string
}

/** The members that make up the public half of a key (RFC 7518 section 6, RFC 8037 section 2). */
const publicMembers = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'] } as const
const privateMembers = { RSA: ['d', 'p', 'q', 'dp', 'dq', 'qi'], EC: ['d'], OKP: ['d'] } as const
const curves = { EC: ['P-256', 'P-384', 'P-521'], OKP: ['Ed25519'] } as const

const base64url = /^[A-Za-z0-9_-]+$/u

/** Checks one member of `keys`. `position` counts from 1 and names keys that have no kid. Throws KeyProblem. */
export function readKey(value: unknown, position: number): KeyEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new KeyProblem(`entry ${position} is not a JSON object`)
  }
  const jwk = value as JWK
  const kty: string | undefined = jwk.kty
  const kid = typeof jwk.kid === 'string' ? jwk.kid : ''
  const label = kid === '' ? `key ${position}` : `key ${JSON.stringify(kid)}`
  if (kty === 'oct') {
    requireMembers(jwk, ['k'], label)
    return { jwk, role: 'symmetric', kid }
  }
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') {
    throw new KeyProblem(
      `${label} has the unknown key type ${JSON.stringify(kty ?? '')}; RSA, EC, OKP and oct are known`,
    )
  }
  requireMembers(jwk, publicMembers[kty], label)
  if (kty === 'RSA') checkRsa(jwk, label)
  else if (!(curves[kty] as readonly string[]).includes(jwk.crv ?? '')) {
    throw new KeyProblem(`${label} is on the curve ${JSON.stringify(jwk.crv)}; known are ${curves[kty].join(', ')}`)
  }
  if (jwk.d === undefined) return { jwk, role: 'public', kid }
  requireMembers(jwk, privateMembers[kty], label)
  if (kty === 'RSA' && jwk.oth !== undefined) throw new KeyProblem(`${label} has more than two primes`)
  return { jwk, role: 'private', kid }
}

function requireMembers(jwk: JWK, names: readonly string[], label: string): void {
  for (const name of names) {
    const value: unknown = jwk[name as keyof JWK]
    if (typeof value !== 'string' || (name !== 'crv' && !base64url.test(value))) {
      throw new KeyProblem(`${label} has no valid "${name}"`)
    }
  }
}

function checkRsa(jwk: JWK, label: string): void {
  const modulus = integerOf(jwk.n)
  const bits = modulus.toString(2).length
  if (bits < 2048) throw new KeyProblem(`${label} is an RSA key of ${bits} bits; at least 2048 are needed`)
  const exponent = integerOf(jwk.e)
  if (exponent < 3n || exponent % 2n === 0n) throw new KeyProblem(`${label} has an unsafe RSA exponent`)
  if (isRocaModulus(modulus)) throw new KeyProblem(`${label} can be computed from its public half (CVE-2017-15361)`)
}

const integerOf = (text = ''): bigint => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex') || '0'}`)

/** The public half as it is published: nothing secret, `use: sig` added. Undefined for symmetric keys. */
export function publicHalf({ jwk, role }: KeyEntry): JWK | undefined {
  if (role === 'symmetric') return undefined
  const half: JWK = { kty: jwk.kty as string }
  for (const name of ['kid', 'alg'] as const) if (typeof jwk[name] === 'string') half[name] = jwk[name]
  half.use = typeof jwk.use === 'string' ? jwk.use : 'sig'
  for (const name of publicMembers[jwk.kty as keyof typeof publicMembers]) half[name] = jwk[name] as string
  return half
}

/**
 * Imports a private or symmetric entry for signing under `kid`. A test signature is checked against the public half,
 * because a token that nobody can verify is worse than none. Throws KeyProblem.
 */
export async function importSigningKey(entry: KeyEntry, kid: string): Promise<SigningKey> {
  const { jwk } = entry
  const label = JSON.stringify(entry.kid)
  const alg = jwk.alg ?? ''
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined) {
    throw new KeyProblem(`credentials: signing key ${label} declares unsupported algorithm ${JSON.stringify(alg)}`)
  }
  if (algorithm.kty !== jwk.kty || (algorithm.crv !== undefined && algorithm.crv !== jwk.crv)) {
    throw new KeyProblem(`signing key ${label} declares ${alg}, which does not go with its type or curve`)
  }
  const bytes = Buffer.from(jwk.k ?? '', 'base64url').length
  if (algorithm.kty === 'oct' && bytes * 8 < algorithm.bits) {
    throw new KeyProblem(`signing key ${label} is too short for ${alg}: ${bytes * 8} of ${algorithm.bits} bits`)
  }
  try {
    // Only the key material is imported: `use`, `key_ops` and `ext` say nothing about signing in Oathkeeper.
    const material = withoutAttributes(jwk)
    const key = await importJWK(material, alg)
    const half = publicHalf(entry)
    const proof = await new CompactSign(probe).setProtectedHeader({ alg }).sign(key)
    await compactVerify(proof, half === undefined ? key : await importJWK(withoutAttributes(half), alg))
    return { kid, alg, key, thumbprint: await calculateJwkThumbprint(material) }
  } catch {
    // The library's message is left out: it may quote the key.
    throw new KeyProblem(`signing key ${label} is damaged: its parts do not make up a working ${alg} key`)
  }
}

const probe = new TextEncoder().encode('mintkeeper')

function withoutAttributes(jwk: JWK): JWK {
  const { use: _use, key_ops: _operations, ext: _extractable, ...material } = jwk
  return material
}
