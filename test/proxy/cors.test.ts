import { describe, expect, it } from 'vitest'
import { compileCors } from '../../src/proxy/cors.ts'
import type { CorsOptions } from '../../src/proxy/cors.ts'
import { requestHeaders } from '../../src/proxy/header_lines.ts'

const strict: CorsOptions = {
  allowedOrigins: ['https://app.example.com', 'https://*.wild.example.org', 'https://*.port.example.org:8443'],
  allowedMethods: ['GET', 'POST'],
  allowedHeaders: ['Authorization', 'Content-Type', 'X-Custom'],
  exposedHeaders: ['X-Upstream', 'ETag'],
  allowCredentials: true,
  maxAge: 600,
}
const open: CorsOptions = {
  allowedOrigins: ['*'],
  allowedMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: ['Authorization', 'Content-Type'],
  exposedHeaders: ['Content-Type'],
  allowCredentials: false,
  maxAge: 0,
}

function ask(
  options: CorsOptions,
  method: string,
  headers: Readonly<Record<string, string>>,
): { readonly preflight: boolean; readonly headers: Readonly<Record<string, string>> } {
  const answer = compileCors(options)(method, requestHeaders(Object.entries(headers).flat()))
  return { preflight: answer.preflight, headers: Object.fromEntries(answer.headers) }
}
const preflight = (origin: string, method = 'POST', headers = ''): Readonly<Record<string, string>> =>
  ask(strict, 'OPTIONS', {
    origin,
    'access-control-request-method': method,
    ...(headers === '' ? {} : { 'access-control-request-headers': headers }),
  }).headers

describe('a preflight', () => {
  it('is told what it asked for', () => {
    const answer = ask(strict, 'OPTIONS', {
      Origin: 'https://app.example.com',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization, x-CUSTOM',
    })
    expect(answer).toEqual({
      preflight: true,
      headers: {
        Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
        'Access-Control-Allow-Origin': 'https://app.example.com',
        'Access-Control-Allow-Credentials': 'true',
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': 'authorization, x-CUSTOM',
        'Access-Control-Max-Age': '600',
      },
    })
  })

  it.each([
    ['another origin', preflight('https://evil.example')],
    ['no origin', preflight('')],
    ['another method', preflight('https://app.example.com', 'DELETE')],
    ['another header', preflight('https://app.example.com', 'POST', 'authorization,x-evil')],
    ['too many headers', preflight('https://app.example.com', 'POST', 'authorization,'.repeat(1000))],
  ])('gets no permission: %s', (_name, headers) => {
    expect(headers).toEqual({ Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers' })
  })

  it('is OPTIONS with Access-Control-Request-Method, nothing less', () => {
    expect(ask(strict, 'OPTIONS', { Origin: 'https://app.example.com' }).preflight).toBe(false)
    expect(
      ask(strict, 'GET', { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'GET' }).preflight,
    ).toBe(false)
  })
})

describe('an ordinary request', () => {
  it('is told who may read the answer', () => {
    expect(ask(strict, 'GET', { Origin: 'https://app.example.com' }).headers).toEqual({
      Vary: 'Origin',
      'Access-Control-Allow-Origin': 'https://app.example.com',
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Expose-Headers': 'X-Upstream, ETag',
    })
  })

  it('of another origin is told nothing', () => {
    expect(ask(strict, 'GET', { Origin: 'https://evil.example' }).headers).toEqual({ Vary: 'Origin' })
    expect(ask(strict, 'GET', { Origin: 'https://APP.example.com' }).headers).toEqual({ Vary: 'Origin' })
    expect(ask(strict, 'GET', {}).headers).toEqual({ Vary: 'Origin' })
  })

  it('of any origin gets the star, or its own name when credentials count', () => {
    const origin = { Origin: 'https://any.example' }
    expect(ask(open, 'GET', origin).headers['Access-Control-Allow-Origin']).toBe('*')
    expect(ask({ ...open, allowedOrigins: [] }, 'GET', origin).headers['Access-Control-Allow-Origin']).toBe('*')
    expect(ask({ ...open, allowCredentials: true }, 'GET', origin).headers['Access-Control-Allow-Origin']).toBe(
      'https://any.example',
    )
  })
})

describe('a wildcard', () => {
  it.each(['https://a.wild.example.org', 'https://a.b.wild.example.org', 'https://a.port.example.org:8443'])(
    'covers %s',
    (origin) => {
      expect(preflight(origin)['Access-Control-Allow-Origin']).toBe(origin)
    },
  )

  it.each([
    'https://evilwild.example.org',
    'https://wild.example.org',
    'https://.wild.example.org',
    'http://a.wild.example.org',
    'https://a.wild.example.org:8443',
    'https://a.wild.example.org.evil.example',
    'https://evil.example/.wild.example.org',
    'https://evil.example#.wild.example.org',
    'https://evil.example:1.wild.example.org',
    'https://a@b.wild.example.org',
    'null',
  ])('does not cover %s', (origin) => {
    expect(preflight(origin)['Access-Control-Allow-Origin']).toBeUndefined()
  })

  it.each([
    'https://*.com',
    'https://*example.com',
    '*.example.com',
    'https://*.*.example.com',
    'https://a.*.example.com',
    'https://*..com',
  ])('%s allows nobody', (pattern) => {
    const options = { ...strict, allowedOrigins: [pattern] }
    for (const origin of ['https://a.example.com', 'https://evilexample.com', 'https://evil.com']) {
      expect(ask(options, 'GET', { Origin: origin }).headers['Access-Control-Allow-Origin']).toBeUndefined()
    }
  })
})
