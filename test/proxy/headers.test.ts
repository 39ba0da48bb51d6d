import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HeaderEdit } from '../../src/pipeline/contract/headers.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import type { UpstreamTarget } from '../../src/pipeline/contract/upstream.ts'
import { clientHeaders, upstreamHeaders } from '../../src/proxy/headers.ts'
import { requestHeaders } from '../../src/proxy/header_lines.ts'
import type { ProxySettings } from '../../src/proxy/settings.ts'
import { compatible, secure, targetOf } from './harness.ts'

const inboundWith = (raw: readonly string[]): Inbound => ({
  method: 'GET',
  scheme: 'https',
  host: 'gw.example',
  path: '/',
  target: '/',
  query: '',
  headers: requestHeaders(['Host', 'gw.example', ...raw]),
  remoteAddress: '192.0.2.1',
})

/** What goes to the upstream, without the forwarded headers that the gateway adds for itself. */
function sent(
  raw: readonly string[],
  settings: ProxySettings,
  edits: readonly HeaderEdit[] = [],
  target: Partial<UpstreamTarget> = {},
): string[] {
  const withoutOwn = { ...settings, safeguards: { ...settings.safeguards, forwarded_headers: 'none' as const } }
  return upstreamHeaders(inboundWith(raw), edits, targetOf('http://u', target), withoutOwn)
}

/** Header lines as node gives them: name, value, name, value… */
const lines = (...all: readonly string[]): string[] =>
  all.flatMap((line) => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  })

const pairs = (list: readonly string[]): [string, string][] =>
  list.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), list[i + 1]!] satisfies [string, string]] : []))

describe.each([
  ['secure', secure],
  ['oathkeeper', compatible],
] as const)('to the upstream, %s', (_name, settings) => {
  it('end-to-end headers pass in order and spelling, duplicates too', () => {
    const raw = ['Accept', 'a/b', 'x-Custom', '1', 'X-Custom', '2', 'User-Agent', 'ua/9', 'Content-Length', '3']
    expect(sent(raw, settings)).toEqual(raw)
  })

  it('hop-by-hop headers do not, nor what Connection names', () => {
    const raw = lines(
      'Connection: close, X-Drop\t, , Content-Length, Host',
      'X-Drop: 1',
      'Keep-Alive: 5',
      'TE: trailers',
      'Trailer: x',
      'Transfer-Encoding: chunked',
      'Upgrade: h2c',
      'HTTP2-Settings: AA',
      'Expect: 100-continue',
      'Proxy-Connection: x',
      'Proxy-Authorization: x',
      'Proxy-Authenticate: x',
      'Proxy: http://evil.example',
      'Content-Length: 0',
      'X-Keep: 1',
    )
    expect(sent(raw, settings)).toEqual(['Content-Length', '0', 'X-Keep', '1'])
  })

  it('what is set comes last, once, and Connection cannot take it out', () => {
    const raw = ['X-User', 'root', 'x-user', 'admin', 'Connection', 'x-user, x-other']
    expect(sent(raw, settings, [['X-User', 'alice']])).toEqual(['X-User', 'alice'])
  })

  it('the last of several edits counts; null removes, an empty value stays', () => {
    const edits: HeaderEdit[] = [
      ['X-A', '1'],
      ['x-a', '2'],
      ['X-B', '1'],
      ['X-B', null],
      ['X-C', ''],
      ['X-D', null],
      ['X-D', '4'],
    ]
    expect(sent(['x-b', 'client', 'x-d', 'client'], settings, edits)).toEqual(['x-a', '2', 'X-C', '', 'X-D', '4'])
  })

  it('an edit cannot frame or route the message', () => {
    const edits = ['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Upgrade', 'Expect']
    expect(
      sent(
        ['Content-Length', '3'],
        settings,
        edits.map((name): HeaderEdit => [name, '1']),
      ),
    ).toEqual(['Content-Length', '3'])
  })

  it('text goes out as UTF-8', () => {
    const [, value = ''] = sent([], settings, [['X-Name', 'Jürgen 漢字']])
    expect(Buffer.from(value, 'latin1').toString('utf8')).toBe('Jürgen 漢字')
  })

  it.each([
    ['X-A', 'a\r\nX-Hasura-Role: admin'],
    ['X-A', 'a\nb'],
    ['X-A', 'a\0'],
    ['X-A', '\u007F'],
    ['X-A', '\uD800'],
    ['X A', 'a'],
    ['X-A\r\nX-B', 'a'],
    ['', 'a'],
  ])('an edit that cannot be a header fails the request: %j %j', (name, value) => {
    expect(() => sent([], settings, [[name, value]])).toThrow(expect.objectContaining({ code: 'template_failed' }))
  })
})

describe('what the gateway owns', () => {
  const owned = lines(
    'Authorization: Bearer x',
    'X-Session-Token: t',
    'X-Identity: root',
    'X-Hasura-Role: admin',
    'X-Hasura-Admin-Secret: s',
    'X-Forwarded-For: 1.1.1.1',
    'X-Forwarded-User: root',
    'Forwarded: for=x',
    'X-Real-IP: 1.1.1.1',
    'X-Original-URL: /',
    'X-Rewrite-URL: /',
    'X-HTTP-Method-Override: PUT',
    'X-HTTP-Method: PUT',
    'X-Envoy-Original-Path: /',
    'Remote-User: root',
    'X-Auth-Request-User: root',
    'x_identity: root',
    'X_Hasura_Role: admin',
    'X-Hasura_Role: admin',
  )

  it('is dropped in the secure profile', () => {
    expect(sent([...owned, 'X-Keep', '1'], secure)).toEqual(['X-Keep', '1'])
  })

  it('passes as in Oathkeeper, but for Forwarded, unless it is set', () => {
    const passing = sent([...owned, 'Cookie', 'ory_kratos_session=s'], compatible)
    expect(pairs(passing).filter(([name]) => name === 'forwarded')).toEqual([])
    expect(passing).toHaveLength(owned.length)
    expect(sent(['x_identity', 'root', 'X-Identity', 'root'], compatible, [['X-Identity', 'alice']])).toEqual([
      'X-Identity',
      'alice',
    ])
  })

  it('reaches an upstream that is marked as the session’s own', () => {
    const raw = [
      'Authorization',
      'Bearer x',
      'X-Session-Token',
      't',
      'Cookie',
      'ory_kratos_session=s; a=b',
      'X-Identity',
      'x',
    ]
    expect(sent(raw, secure, [], { passCredentials: true })).toEqual(raw.slice(0, 6))
  })
})

describe('what a rule says of its own upstream', () => {
  const raw = lines(
    'Authorization: Bearer x',
    'X-Session-Token: t',
    'Cookie: ory_kratos_session=s; a=b',
    'X-Identity: root',
    'X_Hasura_Role: admin',
    'X-Hasura-Role: admin',
    'X-Keep: 1',
  )

  it('client_headers goes over the profile, either way', () => {
    expect(sent(raw, compatible, [], { headers: { client_headers: 'drop' } })).toEqual(
      lines('Cookie: a=b', 'X-Keep: 1'),
    )
    expect(sent(raw, secure, [], { headers: { client_headers: 'pass' } })).toEqual(raw)
  })

  it('credentials may stay behind alone, or pass alone', () => {
    const target = { headers: { credentials: 'drop' } } as const
    expect(sent(raw, compatible, [], target)).toEqual([...lines('Cookie: a=b'), ...raw.slice(6)])
    expect(sent(raw, compatible, [], { headers: { client_headers: 'drop' }, passCredentials: true })).toEqual([
      ...raw.slice(0, 6),
      ...lines('X-Keep: 1'),
    ])
  })

  it('forwarded_headers goes over the profile, either way', () => {
    const names = (settings: ProxySettings, forwarded_headers: 'set' | 'none'): string[] =>
      pairs(
        upstreamHeaders(inboundWith([]), [], targetOf('http://u', { headers: { forwarded_headers } }), settings),
      ).map(([name]) => name)
    expect(names(compatible, 'set')).toEqual(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])
    expect(names(secure, 'none')).toEqual([])
  })
})

describe('cookies', () => {
  const cookie = (value: string): string | undefined => sent(['Cookie', value], secure)[1]

  it.each([
    ['ory_kratos_session=s; theme=dark', 'theme=dark'],
    ['a=1; ory_kratos_session=s; b=2', 'a=1; b=2'],
    ['a=1; ory_kratos_session=s', 'a=1'],
    ['a=1;ory_kratos_session = s;  b=2', 'a=1;  b=2'],
    ['a="x y"; b; ory_kratos_session=s=t; =c', 'a="x y"; b; =c'],
    ['xory_kratos_session=s; ory_kratos_session2=t', 'xory_kratos_session=s; ory_kratos_session2=t'],
    ['ory_kratos_session=s; \u00a0a=1', '\u00a0a=1'],
    ['ory_kratos_session=s', undefined],
    ['ory_kratos_session', undefined],
  ])('%j leaves %j', (value, left) => {
    expect(cookie(value)).toBe(left)
  })

  it('keep their bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z"=\\\u0080-\u00ff%]{1,8}$/), { minLength: 1, maxLength: 5 }),
        fc.nat(5),
        (others, at) => {
          const all = [...others]
          all.splice(Math.min(at, all.length), 0, 'ory_kratos_session=s')
          expect(cookie(all.join('; '))).toBe(others.join('; '))
        },
      ),
    )
  })
})

describe('X-Forwarded-*', () => {
  const chain = ['X-Forwarded-For', '198.51.100.1', 'X-Forwarded-Host', 'app.example', 'X-Forwarded-Proto', 'https']
  const set = (settings: ProxySettings, edits: readonly HeaderEdit[] = []): [string, string][] =>
    pairs(upstreamHeaders(inboundWith(chain), edits, targetOf('http://u'), settings))

  it('say what the gateway saw', () => {
    expect(set(secure)).toEqual([
      ['x-forwarded-for', '192.0.2.1'],
      ['x-forwarded-host', 'gw.example'],
      ['x-forwarded-proto', 'https'],
    ])
  })

  it('go on from what a trusted proxy said', () => {
    expect(set({ ...secure, trustForwardedHeaders: true })).toEqual([
      ['x-forwarded-for', '198.51.100.1, 192.0.2.1'],
      ['x-forwarded-host', 'app.example'],
      ['x-forwarded-proto', 'https'],
    ])
  })

  it('are the client’s own when Oathkeeper trusts it', () => {
    expect(set({ ...compatible, trustForwardedHeaders: true })).toEqual(pairs(chain))
  })

  it('give way to an edit', () => {
    expect(set(secure, [['X-Forwarded-For', '203.0.113.9']]).filter(([name]) => name === 'x-forwarded-for')).toEqual([
      ['x-forwarded-for', '203.0.113.9'],
    ])
  })
})

it('whatever the client sends, an edit arrives once and the client’s hop-by-hop headers never', () => {
  const name = fc.constantFrom(
    'X-User',
    'x-user',
    'X_User',
    'Connection',
    'Authorization',
    'Te',
    'Cookie',
    'X-A',
    'Upgrade',
    'Keep-Alive',
  )
  const value = fc.constantFrom('x-user', 'close, authorization', 'X-USER , X-A', 'root', 'keep-alive', ', ,', 'cookie')
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 10 }), fc.boolean(), (all, strict) => {
      const list = pairs(
        sent(all.flat(), strict ? secure : compatible, [
          ['x-user', 'alice'],
          ['Authorization', 'minted'],
        ]),
      )
      const values = (wanted: string): string[] =>
        list.filter(([found]) => found.replaceAll('_', '-') === wanted).map(([, found]) => found)
      expect(values('x-user')).toEqual(['alice'])
      expect(values('authorization')).toEqual(['minted'])
      for (const hop of ['connection', 'te', 'upgrade', 'keep-alive', 'host']) expect(values(hop)).toEqual([])
    }),
    { numRuns: 2000 },
  )
})

describe('to the client', () => {
  const options = {
    guardedCookies: ['ory_kratos_session'],
    added: [],
    ownCors: false,
    status: 200,
    trailers: false,
  } as const

  it('end-to-end headers pass in order and spelling, duplicates too', () => {
    const raw = ['ETag', '"x"', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Content-Length', '3', 'X-A', 'ä']
    expect(clientHeaders(raw, options)).toEqual(raw)
  })

  it('hop-by-hop headers do not', () => {
    const raw = [
      'Connection',
      'X-Drop',
      'X-Drop',
      '1',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'x',
      'Trailer',
      'x',
      'X-Keep',
      '1',
    ]
    expect(clientHeaders(raw, options)).toEqual(['X-Keep', '1'])
    expect(clientHeaders(['Trailer', 'x'], { ...options, trailers: true })).toEqual(['Trailer', 'x'])
  })

  it('the session cookie only from the session store', () => {
    const raw = [
      'Set-Cookie',
      'ory_kratos_session=EVIL; Path=/',
      'Set-Cookie',
      ' ory_kratos_session =',
      'Set-Cookie',
      'a=ory_kratos_session',
    ]
    expect(clientHeaders(raw, { ...options, added: [['Set-Cookie', 'ory_kratos_session=new']] })).toEqual(
      lines('Set-Cookie: a=ory_kratos_session', 'Set-Cookie: ory_kratos_session=new'),
    )
    expect(clientHeaders(raw, { ...options, guardedCookies: [] })).toEqual(raw)
  })

  it('an upstream’s CORS headers give way to the gateway’s', () => {
    const raw = ['Access-Control-Allow-Origin', '*', 'Vary', 'Accept']
    const added = [['Access-Control-Allow-Origin', 'https://a']] as const
    expect(clientHeaders(raw, { ...options, ownCors: true, added })).toEqual(['Vary', 'Accept', ...added[0]])
    expect(clientHeaders(raw, options)).toEqual(raw)
  })

  it('no length where no body can be', () => {
    expect(clientHeaders(['Content-Length', '3'], { ...options, status: 204 })).toEqual([])
    expect(clientHeaders(['Content-Length', '3'], { ...options, status: 304 })).toEqual(['Content-Length', '3'])
  })
})
