import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoff, loadPackage, MissingPackageError, readMessage, reasonOf } from '../../src/revocation/source.ts'
import { loadGateway } from '../support/gateway.ts'

describe('a message', () => {
  it.each([
    ['{"session":"a"}', { session: 'a' }],
    ['{"session":"a","inDoubt":true,"from":"b"}', { session: 'a', inDoubt: true }],
    ['{"session":"a","inDoubt":"true"}', { session: 'a' }],
    ['{"identity":"a","from":"b"}', { identity: 'a' }],
    ['{"everything":true}', { everything: true }],
    ['{"session":1}', { everything: true }],
    ['null', { everything: true }],
    ['', { everything: true }],
  ])('%s', (text, expected) => {
    expect(readMessage(text)).toEqual(expected)
  })

  it('ends everything when nobody understands it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(['session', 'identity', 'everything']).toContain(Object.keys(readMessage(text))[0])
      }),
    )
  })
})

describe('an optional package', () => {
  it('that is missing is named', async () => {
    const missing = Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
    const loading = loadPackage('revocation.redis', 'ioredis', () => Promise.reject(missing))
    await expect(loading).rejects.toBeInstanceOf(MissingPackageError)
    await expect(loading).rejects.toThrow('revocation.redis needs the package ioredis, which is not installed')
  })

  it('that is broken is not missing', async () => {
    await expect(loadPackage('a', 'b', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  })
})

describe('the pause before the next attempt', () => {
  it('grows to five seconds', () => {
    fc.assert(
      fc.property(fc.nat(10_000), (attempt) => {
        const pause = backoff(attempt)
        const longest = Math.min(5000, 100 * 2 ** Math.min(attempt, 10))
        expect(pause).toBeGreaterThanOrEqual(longest / 2)
        expect(pause).toBeLessThanOrEqual(longest)
      }),
    )
  })
})

describe('a reason', () => {
  it('never quotes the message', () => {
    const error = Object.assign(new Error('postgres://user:password@host'), { code: 'ECONNREFUSED' })
    expect(reasonOf(error)).toBe('ECONNREFUSED')
    expect(reasonOf(new TypeError('postgres://user:password@host'))).toBe('TypeError')
    expect(reasonOf({})).toBe('Error')
  })
})

describe('a config', () => {
  it.each<[string, object, RegExp]>([
    ['that validates without an admin API', { revocation: { revalidation: {} } }, /needs kratos\.admin_url/],
    [
      'that extends without an admin API',
      { kratos: { extend_sessions: { remaining: '1h' } } },
      /needs kratos\.admin_url/,
    ],
    ['with two tokens', { serve: { api: { admin: { token: 'a'.repeat(16), token_file: 'b' } } } }, /either `token` or/],
    ['with no token', { revocation: { webhook: {} } }, /either `token` or/],
    ['with a short token', { revocation: { webhook: { token: 'short' } } }, /at least 16/],
    [
      'with a network that is none',
      { serve: { api: { admin: { token: 'a'.repeat(16), allowed_networks: ['x'] } } } },
      /network/,
    ],
    ['with a database of another kind', { revocation: { database: { url: 'mysql://kratos' } } }, /postgres/],
  ])('%s is refused', async (_name, config, message) => {
    await expect(loadGateway({ config: { profile: 'secure', ...config } })).rejects.toMatchObject({
      problems: [expect.objectContaining({ message: expect.stringMatching(message) as string })],
    })
  })
})
