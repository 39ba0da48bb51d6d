import { describe, expect, it } from 'vitest'
import { adviceOn } from '../../../src/tokens/claims/advice.ts'

const namespace = 'https://hasura.io/jwt/claims'
const messages = (claims: unknown): readonly string[] => adviceOn(claims).map(({ message }) => message)

describe('advice on claims', () => {
  it.each<readonly [unknown]>([
    [undefined],
    ['{"sub":1}'],
    [{ role: 'user' }],
    [{ [namespace]: { 'X-Hasura-Default-Role': 'user', 'x-hasura-allowed-roles': ['user'] } }],
    [{ [namespace]: { 'x-hasura-default-role': '{{extra.role}}', 'x-hasura-allowed-roles': ['user'] } }],
    [{ [namespace]: { 'x-hasura-default-role': 'user', 'x-hasura-allowed-roles': '{{extra.roles}}' } }],
    [{ [namespace]: { 'x-hasura-default-role': 'user', 'x-hasura-allowed-roles': ['{{extra.role}}'] } }],
    [{ [namespace]: '{{extra.hasura}}' }],
  ])('%j needs none', (claims) => {
    expect(messages(claims)).toEqual([])
  })

  it('names claims that have no effect', () => {
    expect(adviceOn({ sub: 'x', role: 'y', exp: 1 }).map(({ path }) => path)).toEqual([['exp'], ['sub']])
  })

  it('names what Hasura would refuse', () => {
    expect(messages({ [namespace]: {} })).toEqual([
      'Hasura refuses tokens without x-hasura-default-role',
      'Hasura refuses tokens without x-hasura-allowed-roles',
    ])
    expect(messages({ [namespace]: { 'x-hasura-default-role': 'admin', 'x-hasura-allowed-roles': ['user'] } })).toEqual(
      ['The default role "admin" is not one of x-hasura-allowed-roles; Hasura refuses such tokens'],
    )
  })
})
