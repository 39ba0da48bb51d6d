import { describe, expect, it } from 'vitest'
import { reliedDefaults, resolveSafeguards, safeguards } from '../../src/config/profile.ts'

describe('safeguards', () => {
  it('differ between the profiles, each of them', () => {
    for (const { oathkeeper, secure } of Object.values(safeguards)) expect(oathkeeper).not.toBe(secure)
  })

  it('have a meaning of one sentence', () => {
    for (const { meaning } of Object.values(safeguards)) expect(meaning).toMatch(/^\p{Lu}.*\.$/u)
  })
})

describe('resolveSafeguards', () => {
  it('takes the profile, and what is set singly', () => {
    expect(resolveSafeguards('oathkeeper', {}).path).toBe('resolve')
    expect(resolveSafeguards('secure', {}).path).toBe('refuse')
    const mixed = resolveSafeguards('secure', { path: 'resolve', token_backdate: 0, client_headers: undefined })
    expect(mixed).toMatchObject({ path: 'resolve', token_backdate: 0, client_headers: 'drop' })
  })
})

describe('reliedDefaults', () => {
  it('names what is left to the profile', () => {
    const relied = reliedDefaults('oathkeeper', { path: 'refuse' })
    expect(relied.map(({ name }) => name)).toEqual(Object.keys(safeguards).filter((name) => name !== 'path'))
    expect(relied.find(({ name }) => name === 'token_backdate')).toMatchObject({ value: 0, secure: 5 })
  })
})
