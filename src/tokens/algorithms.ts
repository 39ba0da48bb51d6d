/** A JWS signature algorithm that keys may declare (RFC 7518 section 3.1, RFC 8037 section 3.1). */
export interface Algorithm {
  readonly kty: 'RSA' | 'EC' | 'OKP' | 'oct'
  /** The one curve that the algorithm goes with. */
  readonly crv?: string
  /** Bits of the key: the least for RSA and HMAC (RFC 7518 sections 3.2, 3.3, 3.5), the only size for curves. */
  readonly bits: number
}

export const algorithms: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ['RS256', { kty: 'RSA', bits: 2048 }],
  ['RS384', { kty: 'RSA', bits: 2048 }],
  ['RS512', { kty: 'RSA', bits: 2048 }],
  ['PS256', { kty: 'RSA', bits: 2048 }],
  ['PS384', { kty: 'RSA', bits: 2048 }],
  ['PS512', { kty: 'RSA', bits: 2048 }],
  ['ES256', { kty: 'EC', crv: 'P-256', bits: 256 }],
  ['ES384', { kty: 'EC', crv: 'P-384', bits: 384 }],
  ['ES512', { kty: 'EC', crv: 'P-521', bits: 521 }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519', bits: 256 }],
  ['HS256', { kty: 'oct', bits: 256 }],
  ['HS384', { kty: 'oct', bits: 384 }],
  ['HS512', { kty: 'oct', bits: 512 }],
])
