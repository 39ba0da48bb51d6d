import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/pipeline/contract/values.ts'
import { problemOfClaims, scopesOf, withScp } from '../../../src/tokens/verification/claims.ts'
import { vectors } from '../../rules/vectors.ts'

describe('jwt_scope_claim', () => {
  it.each(vectors('jwt_scope_claim'))('$id', ({ when, expect: wanted }) => {
    const claims = when['claims'] as JsonObject
    expect(scopesOf(claims)).toEqual(wanted)
    const { [wanted['claim'] as string]: _original, ...rest } = claims
    expect(withScp(claims)).toEqual({ ...rest, scp: wanted['scopes'] })
  })

  it('a claim named __proto__ stays a claim', () => {
    const claims = JSON.parse('{"__proto__": {"admin": true}, "scope": "a"}') as JsonObject
    expect(JSON.stringify(withScp(claims))).toBe('{"__proto__":{"admin":true},"scp":["a"]}')
  })
})

describe('times', () => {
  const problem = (claims: JsonObject, strict = false): string | undefined =>
    problemOfClaims(claims, { audiences: [], issuers: [], scopes: [], strategy: undefined, strict }, 1_000_000)

  it.each([
    [{ exp: 1001 }, undefined],
    [{ exp: 1000.5 }, undefined],
    [{ exp: 1000 }, 'The token has expired'],
    [{ exp: 0 }, 'The token has expired'],
    [{ exp: '9999' }, 'The token does not say when it expires'],
    [{ exp: null }, 'The token does not say when it expires'],
    [{ nbf: 1000 }, undefined],
    [{ nbf: 1000.5 }, 'The token is not valid yet'],
    [{ nbf: null }, 'The token is not valid yet'],
    [{ iat: 1000 }, undefined],
    [{ iat: 1001 }, 'The token was issued in the future'],
    [{ iat: [] }, 'The token was issued in the future'],
    [{ sub: 7 }, 'The subject of the token is not a string'],
  ] as const)('%j', (claims, expected) => {
    expect(problem(claims as JsonObject)).toBe(expected)
  })

  it('must be there under strict requirements, and so must a subject', () => {
    expect(problem({ sub: 'a' }, true)).toBe('The token does not say when it expires')
    expect(problem({ exp: 2000 }, true)).toBe('The token has no subject')
    expect(problem({ sub: 'a', exp: 2000 }, true)).toBeUndefined()
  })
})
