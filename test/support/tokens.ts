/** Tokens and their key sets, made without the checks of a library: hostile ones are needed, too. */
import { constants, createHmac, createPrivateKey, sign } from 'node:crypto'
import type { JWK } from 'jose'
import { generateKeySet } from '../../src/tokens/generate.ts'

export interface TokenParts {
  /** Added to `alg` and `kid`, or in their place; undefined leaves a member out. */
  readonly header?: Readonly<Record<string, unknown>>
  /** A text is taken as it is. */
  readonly claims: object | string
  /** The algorithm that really signs, when it is not the key's. */
  readonly alg?: string
}

export const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A JWS in compact serialisation. */
export function signedToken(key: JWK, { header = {}, claims, alg = key.alg ?? '' }: TokenParts): string {
  const input = `${base64url({ alg, kid: key.kid, typ: 'JWT', ...header })}.${base64url(claims)}`
  return `${input}.${signature(key, alg, input).toString('base64url')}`
}

function signature(jwk: JWK, alg: string, input: string): Buffer {
  const hash = `sha${alg.slice(2)}`
  if (alg.startsWith('HS'))
    return createHmac(hash, Buffer.from(jwk.k ?? '', 'base64url'))
      .update(input)
      .digest()
  const key = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  const data = Buffer.from(input)
  if (alg === 'EdDSA') return sign(null, data, key)
  if (alg.startsWith('ES')) return sign(hash, data, { key, dsaEncoding: 'ieee-p1363' })
  if (alg.startsWith('RS')) return sign(hash, data, key)
  return sign(hash, data, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  })
}

/** A new private key; also symmetric ones, which `credentials generate` makes as well. */
export async function newKey(alg: string, kid: string): Promise<JWK> {
  const { keys } = await generateKeySet({ alg, kid })
  return keys[0]
}

/** What an issuer publishes: the public halves; symmetric keys stay, because nobody else could verify by them. */
export function published(...keys: readonly JWK[]): { readonly keys: readonly JWK[] } {
  return {
    keys: keys.map(({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...half }) => ({ use: 'sig', ...half })),
  }
}

export const inlineSet = (set: unknown): string => `base64://${Buffer.from(JSON.stringify(set)).toString('base64url')}`

/** `T+60` and the like as epoch seconds, wherever they stand in a case. */
export function atTime<Value>(value: Value, now: number): Value {
  return JSON.parse(
    JSON.stringify(value).replaceAll(/"(?:T|now)([+-][\d.]+)?"/g, (_, shift: string | undefined) =>
      String(now + Number(shift ?? 0)),
    ),
  ) as Value
}
