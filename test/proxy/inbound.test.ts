import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import { readInbound } from '../../src/proxy/inbound.ts'
import type { InboundSettings, RawRequest } from '../../src/proxy/inbound.ts'
import { compatible, secure } from './harness.ts'

const peer = { address: '192.0.2.1', tls: false }

const request = (rest: Partial<RawRequest> & { headers?: readonly string[] } = {}): RawRequest => ({
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'gw.example', ...(rest.headers ?? [])],
  ...rest,
})

function read(raw: RawRequest, settings: InboundSettings = secure, tls = false): Inbound {
  const inbound = readInbound(raw, { ...peer, tls }, settings)
  if (inbound instanceof GatewayError) throw inbound
  return inbound
}

function reason(raw: RawRequest, settings: InboundSettings = secure): string {
  const inbound = readInbound(raw, peer, settings)
  expect(inbound).toBeInstanceOf(GatewayError)
  return (inbound as GatewayError).reason ?? ''
}

const both = [
  ['secure', secure],
  ['oathkeeper', compatible],
] as const

describe('what is read', () => {
  it('is the canonical request', () => {
    const inbound = read(request({ url: '/a%20b/?c=d&e', headers: ['X-A', '1', 'x-a', '2'] }))
    expect(inbound).toMatchObject({
      method: 'GET',
      scheme: 'http',
      host: 'gw.example',
      path: '/a b',
      target: '/a%20b/',
      query: 'c=d&e',
      remoteAddress: '192.0.2.1',
    })
    expect(inbound.headers.get('x-a')).toBe('1')
    expect(inbound.headers.all('x-a')).toEqual(['1', '2'])
    expect(inbound.headers.get('x-b')).toBeUndefined()
    expect(inbound.headers.all('x-b')).toEqual([])
    expect(inbound.headers.raw).toEqual(['Host', 'gw.example', 'X-A', '1', 'x-a', '2'])
  })

  it('takes a URL of the same host as a path', () => {
    expect(read(request({ url: 'http://gw.example/a?b' }))).toMatchObject({ target: '/a', query: 'b' })
    expect(read(request({ url: 'http://gw.example' }))).toMatchObject({ target: '/', query: '' })
    expect(read(request({ url: 'http://gw.example?b' }))).toMatchObject({ target: '/', query: 'b' })
  })

  it.each(['gw.example', 'GW.example:8080', 'a_b', '127.0.0.1:1', '[::1]', '[2001:db8::1]:443'])('host %s', (host) => {
    expect(read(request({ rawHeaders: ['Host', host] })).host).toBe(host)
  })
})

describe.each(both)('refused with the profile %s:', (_, settings) => {
  it.each<[string, Partial<RawRequest> & { headers?: readonly string[] }]>([
    ['no Host', { rawHeaders: [] }],
    ['two Hosts', { headers: ['host', 'gw.example'] }],
    ['an empty Host', { rawHeaders: ['Host', ''] }],
    ['a host with a path', { rawHeaders: ['Host', 'gw.example/x'] }],
    ['a host with user information', { rawHeaders: ['Host', 'a@gw.example'] }],
    ['a host with a blank', { rawHeaders: ['Host', 'gw.example evil'] }],
    ['a list of hosts', { rawHeaders: ['Host', 'gw.example, evil.example'] }],
    ['a host with an empty port', { rawHeaders: ['Host', 'gw.example:'] }],
    ['a host with a port too high', { rawHeaders: ['Host', 'gw.example:65536'] }],
    ['a host with a word for a port', { rawHeaders: ['Host', 'gw.example:http'] }],
    ['a host with a final dot', { rawHeaders: ['Host', 'gw.example.'] }],
    ['a host with an empty label', { rawHeaders: ['Host', 'gw..example'] }],
    ['a host that is no ASCII', { rawHeaders: ['Host', 'gw.exämple'] }],
    ['an open bracket', { rawHeaders: ['Host', '[::1'] }],
    ['another authority', { url: 'http://evil.example/' }],
    ['user information in the target', { url: 'http://gw.example@evil.example/' }],
    ['a longer authority', { url: 'http://gw.example.evil.example/' }],
    ['a port in the target alone', { url: 'http://gw.example:80/' }],
    ['another scheme', { url: 'https://gw.example/' }],
    ['no scheme of HTTP', { url: 'ftp://gw.example/' }],
    ['an asterisk', { method: 'OPTIONS', url: '*' }],
    ['CONNECT', { method: 'CONNECT', url: 'gw.example:443' }],
    ['CONNECT with a path', { method: 'CONNECT', url: '/' }],
    ['an empty target', { url: '' }],
    ['HTTP/0.9', { httpVersion: '0.9' }],
    ['HTTP/2.0 without its framing', { httpVersion: '2.0' }],
    ['both framings', { headers: ['Content-Length', '1', 'Transfer-Encoding', 'chunked'] }],
    ['Transfer-Encoding in HTTP/1.0', { httpVersion: '1.0', headers: ['Transfer-Encoding', 'chunked'] }],
    ['a Transfer-Encoding that is not chunked alone', { headers: ['Transfer-Encoding', 'gzip, chunked'] }],
    ['two Transfer-Encodings', { headers: ['Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked'] }],
    ['two Content-Lengths', { headers: ['Content-Length', '1', 'Content-Length', '1'] }],
    ['two Authorizations', { headers: ['Authorization', 'a', 'authorization', 'b'] }],
    ['two Content-Types', { headers: ['Content-Type', 'a/b', 'Content-Type', 'a/b'] }],
    ['two Origins', { headers: ['Origin', 'https://a', 'Origin', 'https://b'] }],
    ['two session tokens', { headers: ['X-Session-Token', 'a', 'X-Session-Token', 'b'] }],
    ['two forwarded hosts', { headers: ['X-Forwarded-Host', 'a', 'x-forwarded-host', 'b'] }],
    ['two sessions in one cookie', { headers: ['Cookie', 'ory_kratos_session=a; ory_kratos_session=b'] }],
    [
      'two sessions in two cookies',
      { headers: ['Cookie', 'ory_kratos_session=a', 'Cookie', 'x=y;ory_kratos_session = b'] },
    ],
    ['__proto__', { headers: ['__proto__', 'x'] }],
    ['a header name that is none', { headers: ['a b', 'x'] }],
    ['a control in the query', { url: '/?a\u0001' }],
    ['a blank in the query', { url: '/?a b' }],
  ])('%s', (_name, raw) => {
    expect(reason(request(raw), settings)).not.toBe('')
  })

  it('more than 200 lines with 431', () => {
    const lines = (count: number): string[] => Array.from({ length: count }, (_value, i) => [`x-${i}`, '1']).flat()
    expect(read(request({ headers: lines(199) }), settings).headers.raw).toHaveLength(400)
    expect(readInbound(request({ headers: lines(200) }), peer, settings)).toMatchObject({ status: 431 })
  })

  it('no byte of the client in the reason', () => {
    const secret = 's3cret'
    for (const headers of [
      ['Cookie', `ory_kratos_session=${secret}; ory_kratos_session=b`],
      ['Authorization', secret, 'Authorization', secret],
      [`${secret} x`, secret],
    ]) {
      expect(reason(request({ headers }), settings)).not.toContain(secret)
    }
  })
})

describe('not refused', () => {
  it.each(both)('%s: what only looks like it', (_name, settings) => {
    const headers = [
      'Cookie',
      'ory_kratos_session=a; xory_kratos_session=b; ory_kratos_session=a',
      'Accept',
      'a',
      'Accept',
      'b',
    ]
    expect(read(request({ headers }), settings).headers.all('accept')).toEqual(['a', 'b'])
  })

  it('underscores and raw marks in a query where Oathkeeper allows them', () => {
    expect(reason(request({ headers: ['api_key', 'x'] }))).toContain('underscore')
    expect(read(request({ headers: ['api_key', 'x'] }), compatible).headers.get('api_key')).toBe('x')
    expect(reason(request({ url: '/a?x=1#f' }))).toContain('query')
    expect(read(request({ url: '/a?x=1#f' }), compatible)).toMatchObject({ path: '/a', query: 'x=1#f' })
  })
})

describe('claims about earlier hops', () => {
  const headers = ['X-Forwarded-Proto', 'HTTPS', 'X-Forwarded-Host', 'other', 'Forwarded', 'for=x', 'X-Keep', '1']
  const trusting = { ...compatible, trustForwardedHeaders: true }

  it('are not part of the request unless they are trusted', () => {
    const inbound = read(request({ headers }), compatible)
    expect(inbound.scheme).toBe('http')
    expect(inbound.headers.raw).toEqual(['Host', 'gw.example', 'X-Keep', '1'])
    expect(inbound.headers.get('x-forwarded-proto')).toBeUndefined()
    expect(inbound.headers.get('x-keep')).toBe('1')
  })

  it('say the scheme, never the host, when they are trusted', () => {
    const inbound = read(request({ headers }), trusting)
    expect(inbound).toMatchObject({ scheme: 'https', host: 'gw.example' })
    expect(inbound.headers.get('x-forwarded-host')).toBe('other')
    expect(read(request({ headers: ['X-Forwarded-Proto', 'ws'] }), trusting).scheme).toBe('http')
    expect(read(request({ headers: ['X-Forwarded-Proto', 'http'] }), trusting, true).scheme).toBe('http')
  })

  it('are not needed to know about TLS', () => {
    expect(read(request(), secure, true).scheme).toBe('https')
  })
})

describe('the query', () => {
  it('loses what URL parsers disagree on, where Oathkeeper drops it', () => {
    expect(read(request({ url: '/?a=1;b=2&c=3&d=%zz&e=%2' }), compatible).query).toBe('c=3')
    expect(read(request({ url: '/?b=c&d=%2F%20+x&e' }), compatible).query).toBe('b=c&d=%2F%20+x&e')
  })

  it('is the client’s own in the secure profile', () => {
    expect(read(request({ url: '/?/../admin&a=1;b=%zz' })).query).toBe('/../admin&a=1;b=%zz')
  })
})

it('never throws, whatever the bytes', () => {
  const text = fc.string({ unit: 'binary-ascii', maxLength: 20 })
  fc.assert(
    fc.property(text, fc.array(fc.tuple(text, text), { maxLength: 6 }), fc.boolean(), (url, pairs, strict) => {
      const raw = request({ url: `/${url}`, headers: pairs.flat() })
      expect(() => readInbound(raw, peer, strict ? secure : compatible)).not.toThrow()
    }),
    { numRuns: 3000 },
  )
})
