import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fingerprint, isSensitiveKey, redact, redactText } from '../../src/telemetry/redact.ts'

const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLWJ5dGVz'
const oryToken = 'ory_st_4Tn0bFz7kQmC2wYhXv8sLrJdE6uAgP1i'

describe('redactText', () => {
  it.each([
    ['a JWT', `token was ${jwt}!`, 'token was [redacted]!'],
    ['a JWT inside a path', `/verify/${jwt}/now`, '/verify/[redacted]/now'],
    ['an Ory session token', `got ${oryToken}`, 'got [redacted]'],
    ['a bearer credential', 'Authorization: Bearer abc123def456', 'Authorization: Bearer [redacted]'],
    ['basic credentials', 'basic dXNlcjpwYXNz', 'basic [redacted]'],
    [
      'credentials in a URL',
      'GET http://bob:hunter2@kratos:4433/whoami failed',
      'GET http://[redacted]@kratos:4433/whoami failed',
    ],
    ['a key set in a URL', 'jwks_url base64://eyJrZXlzIjpbXX0= is empty', 'jwks_url base64://[redacted] is empty'],
    ['a cookie', 'ory_kratos_session=MTcwMDAw; theme=dark', 'ory_kratos_session=[redacted]; theme=dark'],
    ['a token in a query', 'http://h/a?access_token=s3cret&b=1', 'http://h/a?access_token=[redacted]&b=1'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n', '[redacted]\n'],
  ])('hides %s', (_, text, clean) => {
    expect(redactText(text)).toBe(clean)
  })

  it.each([
    'basic authentication is required',
    'http://kratos:4433/sessions/whoami',
    'rule "ory_kratos_session" matched',
    '',
  ])('leaves %j alone', (text) => {
    expect(redactText(text)).toBe(text)
  })

  it('never lets a token through, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.constantFrom(jwt, oryToken), (before, after, secret) => {
        expect(redactText(before + secret + after)).not.toContain(secret)
      }),
    )
  })

  it('takes time linear in hostile text', () => {
    const hostile = ['eyJ', 'ory_st_', 'bearer ', '://', 'token', '-----BEGIN PRIVATE KEY-----', 'a.'].map((part) =>
      part.repeat(40_000),
    )
    const start = performance.now()
    for (const text of hostile) redactText(text)
    // Quadratic behaviour would take minutes here.
    expect(performance.now() - start).toBeLessThan(5000)
  })
})

describe('redact', () => {
  it('hides by name, whatever the spelling, and keeps the shape', () => {
    const value = {
      Authorization: 'x',
      'x-session-token': 'y',
      client_secret: ['a', 'b'],
      credentials: { user: 'u', deep: { password: 1 } },
      enabled: true,
      note: `see ${jwt}`,
      list: [{ apiKey: 'k', n: 3 }],
      nothing: null,
    }
    expect(redact(value)).toEqual({
      Authorization: '[redacted]',
      'x-session-token': '[redacted]',
      client_secret: ['[redacted]', '[redacted]'],
      credentials: { user: '[redacted]', deep: { password: '[redacted]' } },
      enabled: true,
      note: 'see [redacted]',
      list: [{ apiKey: '[redacted]', n: 3 }],
      nothing: null,
    })
  })

  it('hides the private members of a key and leaves the public ones', () => {
    const key = { kty: 'EC', crv: 'P-256', x: 'xx', y: 'yy', d: 'private', kid: 'k' }
    expect(redact({ keys: [key] })).toEqual({ keys: [{ ...key, d: '[redacted]' }] })
    expect(redact({ d: 'not a key' })).toEqual({ d: 'not a key' })
  })

  it('describes errors with their causes, without their other properties', () => {
    const error = Object.assign(new Error(`refused ${oryToken}`, { cause: new Error(jwt) }), {
      code: 'E1',
      body: 'secret',
    })
    const described = redact({ err: error }) as { err: Record<string, unknown> }
    expect(described.err).toMatchObject({ type: 'Error', message: 'refused [redacted]', code: 'E1' })
    expect(described.err).not.toHaveProperty('body')
    expect(JSON.stringify(described)).not.toContain(jwt)
    expect(JSON.stringify(described)).not.toContain(oryToken)
  })

  it('cuts what is nested without end', () => {
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    expect(JSON.stringify(redact(loop))).toContain('[redacted]')
  })

  it('knows further names and another replacement', () => {
    expect(redact({ 'X-Tenant': 'acme' }, { additional: new Set(['xtenant']), replacement: '***' })).toEqual({
      'X-Tenant': '***',
    })
    expect(isSensitiveKey('token_url')).toBe(false)
  })
})

describe('fingerprint', () => {
  it('is short, stable and does not contain its input', () => {
    expect(fingerprint('abc')).toBe('ba7816bf')
  })
})
