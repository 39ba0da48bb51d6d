import { describe, expect, it } from 'vitest'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { readKeySet } from '../../src/tokens/key_set.ts'

const bits = (text: unknown): number => Buffer.from(String(text), 'base64url').length * 8

describe('credentials', () => {
  it.each([
    ['RS256', { kty: 'RSA' }],
    ['PS512', { kty: 'RSA' }],
    ['ES256', { kty: 'EC', crv: 'P-256' }],
    ['ES384', { kty: 'EC', crv: 'P-384' }],
    ['ES512', { kty: 'EC', crv: 'P-521' }],
    ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
    ['HS256', { kty: 'oct' }],
  ])('for %s are one private key that signs', async (alg, members) => {
    const set = await generateKeySet({ alg })
    expect(set.keys).toHaveLength(1)
    expect(set.keys[0]).toMatchObject({ ...members, alg, use: 'sig' })
    expect(set.keys[0].kid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect((await readKeySet(JSON.stringify(set), 'x')).signingKey()).toMatchObject({ alg, kid: set.keys[0].kid })
  })

  it('carry the kid that is asked for', async () => {
    expect((await generateKeySet({ alg: 'EdDSA', kid: 'k' })).keys[0].kid).toBe('k')
  })

  it("have Oathkeeper's sizes", async () => {
    expect(bits((await generateKeySet({ alg: 'RS256' })).keys[0].n)).toBe(2048)
    expect(bits((await generateKeySet({ alg: 'RS256', bits: 3072 })).keys[0].n)).toBe(3072)
    expect(bits((await generateKeySet({ alg: 'HS256' })).keys[0].k)).toBe(256)
    expect(bits((await generateKeySet({ alg: 'HS384' })).keys[0].k)).toBe(384)
    expect(bits((await generateKeySet({ alg: 'HS512' })).keys[0].k)).toBe(1024)
    expect(bits((await generateKeySet({ alg: 'HS512', bits: 512 })).keys[0].k)).toBe(512)
    expect((await generateKeySet({ alg: 'ES256', bits: 256 })).keys[0].crv).toBe('P-256')
  })

  it.each([
    [{ alg: 'RS256', bits: 1024 }, 'key size must be at least 2048 bit'],
    [{ alg: 'HS512', bits: 256 }, 'key size must be at least 512 bit'],
    [{ alg: 'HS256', bits: 260 }, 'key size must be a multiple of 8'],
    [{ alg: 'RS256', bits: 2052 }, 'key size must be a multiple of 8'],
    [{ alg: 'RS256', bits: 65_536 }, 'key size must be at most 16384 bit'],
    [{ alg: 'ES256', bits: 512 }, 'jwksx: "ES256" does not support arbitrary key length'],
    [{ alg: 'nope' }, 'unknown algorithm "nope"'],
  ])('of %j are refused', async (options, message) => {
    await expect(generateKeySet(options)).rejects.toThrowError(message)
  })
})
