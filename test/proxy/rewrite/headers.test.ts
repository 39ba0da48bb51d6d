import { describe, expect, it } from 'vitest'
import type { ResponseRewrite } from '../../../src/pipeline/contract/upstream.ts'
import { rewriteCookie } from '../../../src/proxy/rewrite/cookies.ts'
import { rewriteLocation } from '../../../src/proxy/rewrite/urls.ts'

describe('Location', () => {
  const place = { upstream: 'http://kratos:4433', own: 'https://app.example' }
  const rewrite: ResponseRewrite = {
    bodies: false,
    urls: [
      { from: { origin: 'http://kratos:4433', path: '/ui/welcome' }, to: { origin: 'https://www.example', path: '' } },
      { from: { path: '/.ory/ui/welcome' }, to: { origin: 'https://www.example', path: '' } },
      { from: { origin: 'http://kratos:4433', path: '' }, to: { path: '/.ory' } },
      { from: { origin: 'http://app:3000', path: '/base' }, to: { path: '' } },
    ],
  }

  it.each([
    ['http://kratos:4433/self-service/login?flow=1#top', 'https://app.example/.ory/self-service/login?flow=1#top'],
    ['http://kratos:4433', 'https://app.example/.ory/'],
    ['http://KRATOS:4433/x', 'https://app.example/.ory/x'],
    ['/self-service/error?id=1', 'https://app.example/.ory/self-service/error?id=1'],
    ['http://kratos:4433/ui/welcome', 'https://www.example'],
    ['http://kratos:4433/ui/welcomes', 'https://app.example/.ory/ui/welcomes'],
    ['https://app.example/.ory/ui/welcome', 'https://www.example'],
    ['https://app.example/home', 'https://app.example/home'],
    ['http://app:3000/base/x', 'https://app.example/x'],
    ['http://app:3000/based/x', 'http://app:3000/based/x'],
    ['https://other.example/kratos:4433', 'https://other.example/kratos:4433'],
    ['http://kratos:4433@evil.example/', 'http://kratos:4433@evil.example/'],
    ['mailto:someone@app.example', 'mailto:someone@app.example'],
    ['http://[', 'http://['],
  ])('%s', (location, expected) => {
    expect(rewriteLocation(location, rewrite, place)).toBe(expected)
  })

  it('never leads to a host that the path names', () => {
    const root: ResponseRewrite = {
      bodies: false,
      urls: [{ from: { origin: 'http://app:3000', path: '' }, to: { path: '' } }],
    }
    const location = rewriteLocation('http://app:3000//evil.example/', root, place)
    expect(new URL(location, place.own).host).toBe('app.example')
  })
})

describe('Set-Cookie', () => {
  const none = { domain: '', secure: 'match' } as const
  it.each([
    ['s=1; Domain=kratos.internal; Path=/; Secure; HttpOnly; SameSite=None', none, 'http', 's=1; Path=/; HttpOnly; SameSite=Lax'],
    ['s=1; path=/; samesite=STRICT', none, 'http', 's=1; path=/; samesite=STRICT'],
    ['s=1; Path=/; SameSite=None', none, 'https', 's=1; Path=/; SameSite=None; Secure'],
    ['s=a=b;domain=x;secure', { domain: 'app.example', secure: 'match' }, 'http', 's=a=b; Domain=app.example'],
    ['s="secure"; Path=/', { domain: '', secure: 'always' }, 'http', 's="secure"; Path=/; Secure'],
    ['s', none, 'http', 's'],
  ] as const)('%s', (line, rewrite, scheme, expected) => {
    expect(rewriteCookie(line, rewrite, scheme)).toBe(expected)
  }) // prettier-ignore
})
