/** A mutator that cannot set its header fails the request; one that can leaves nothing of the client's beside it. */
import * as fc from 'fast-check'
import type { JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ListeningGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'
import { sendRaw, type RawResponse } from '../support/raw-client.ts'
import { startRecorder, type RecordedRequest, type Recorder } from '../support/recorder.ts'
import { cases, keyUrl, rule, sessionOf, startStd, vector } from './setup.ts'

let store: TestServer
let upstream: Recorder
let gateway: ListeningGateway
/** What the session store says of Alice. */
let traits: Readonly<Record<string, unknown>> = {}

const on = { enabled: true }
const trait = '{{ print .Extra.identity.traits.name }}'

beforeAll(async () => {
  store = await startServer((_request, response) => {
    response.end(JSON.stringify(sessionOf('alice', { identity: { id: 'alice', state: 'active', traits } })))
  })
  upstream = await startRecorder()
  const using = (...mutators: readonly object[]) => ({ mutators })
  const parts = {
    '/header': using({ handler: 'header', config: { headers: { 'X-User-Name': trait } } }),
    '/authorization': using({ handler: 'header', config: { headers: { Authorization: `Custom ${trait}` } } }),
    '/cookie': using({ handler: 'cookie', config: { cookies: { name: trait } } }),
    '/token': using({ handler: 'id_token', config: { claims: '{"name": {{ .Extra.identity.traits.claim }} }' } }),
    '/removed': using({ handler: 'header', config: { remove: ['X-User-Name'] } }),
    '/hydrated': using(
      {
        handler: 'hydrator',
        config: { api: { url: 'http://127.0.0.1:9/', retry: { give_up_after: '50ms', max_delay: '10ms' } } },
      },
      { handler: 'id_token' },
    ),
  }
  gateway = await startStd({
    store: store.url,
    upstream: upstream.origin,
    rules: Object.entries(parts).map(([path, part]) => rule(path, part, upstream.origin)),
    config: {
      profile: 'secure',
      mutators: {
        header: { ...on, config: { headers: {} } },
        cookie: { ...on, config: { cookies: {} } },
        hydrator: { ...on, config: { api: { url: 'http://127.0.0.1:9/' } } },
        id_token: { ...on, config: { issuer_url: 'https://gw.example', jwks_url: keyUrl } },
      },
    },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream.close()
  await store[Symbol.asyncDispose]()
})

const SENT = 'sent-by-the-client'

/** All the ways in which a client may try to be there first, last or instead. */
const attempts: readonly string[] = [
  '',
  `X-User-Name: ${SENT}\r\n`,
  `x-user-name: ${SENT}\r\nX-USER-NAME: ${SENT}\r\n`,
  `X-User-Name: ${SENT}\r\nConnection: x-user-name\r\n`,
  `Connection: close, X-User-Name, Authorization, Cookie\r\n`,
  `Authorization: Bearer ${SENT}\r\n`,
  `X-Hasura-Role: ${SENT}\r\nX-Session-Token: ${SENT}\r\n`,
  `TE: trailers, x-user-name\r\nTrailer: X-User-Name\r\n`,
]

function ask(path: string, lines = ''): Promise<RawResponse> {
  upstream.reset()
  const head = `GET ${path} HTTP/1.1\r\nHost: gw.example\r\nX-Kept: 1\r\nCookie: ory_kratos_session=ALICE; name=${SENT}\r\n`
  return sendRaw(gateway.addresses.proxy.port, `${head}${lines}\r\n`)
}

const withoutBlanks = (value: string): string => value.replaceAll(/^[ \t]+|[ \t]+$/g, '')

/** The values of a header as UTF-8, which is how the gateway writes text. */
const valuesOf = ({ head }: RecordedRequest, header: string): string[] =>
  head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${header}:`))
    .map((line) => Buffer.from(withoutBlanks(line.slice(header.length + 1)), 'latin1').toString('utf8'))

/** What can stand in a header, and what cannot. */
const hostile = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.constantFrom(
    '',
    ' ',
    'a\r\nX-Hasura-Role: admin',
    'a\n',
    '\u0000',
    '\ud800',
    'Zo\u00eb \u20ac',
    '\u2028',
    '\t',
    'a\u007f',
  ),
)
// eslint-disable-next-line no-control-regex -- they are what this is about
const isUnfit = (value: string): boolean => /[\u0000-\u0008\u000a-\u001f\u007f]/.test(value) || !value.isWellFormed()

describe('a header that is set', { timeout: 60_000 }, () => {
  it.each([
    ['/header', 'x-user-name', (name: string) => name],
    ['/authorization', 'authorization', (name: string) => `Custom ${name}`],
  ])('%s: arrives once and with our value, or the request does not', async (path, header, valueOf) => {
    await fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom(...attempts), async (name, lines) => {
        traits = { name }
        const { status } = await ask(path, lines)
        // A client that names its own cookie in Connection is nobody.
        const known = !lines.includes('Cookie')
        expect(status).toBe(known ? (isUnfit(name) ? 500 : 200) : 401)
        expect(upstream.requests).toHaveLength(status === 200 ? 1 : 0)
        for (const request of upstream.requests) {
          expect(valuesOf(request, header)).toEqual([withoutBlanks(valueOf(name))])
          expect(request.all('x-kept')).toEqual(['1'])
          expect(request.head.replace(`name=${SENT}`, '')).not.toContain(SENT)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('/removed: is not the client’s either', async () => {
    for (const lines of attempts.filter((each) => !each.includes('Cookie'))) {
      expect((await ask('/removed', lines)).status).toBe(200)
      expect(upstream.requests[0]?.all('x-user-name')).toEqual([])
    }
  })

  it('/cookie: takes the place of the client’s cookie', async () => {
    traits = { name: 'alice' }
    expect((await ask('/cookie')).status).toBe(200)
    expect(upstream.requests[0]?.all('cookie')).toEqual(['name=alice'])
  })
})

describe('a mutator that fails', () => {
  it.each([
    ['/header', 'a field that is missing', {}],
    ['/cookie', 'a field that is missing', {}],
    ['/token', 'claims that are no JSON', { claim: '"a' }],
    ['/token', 'claims that are more than one value', { claim: '1, "admin": true' }],
    ['/hydrated', 'a hydrator that cannot be reached', { name: 'alice' }],
  ])('%s: %s', async (path, _, changed) => {
    traits = changed
    for (const lines of attempts.filter((each) => !each.includes('Cookie'))) {
      const response = await ask(path, lines)
      expect(response.status).toBe(500)
      expect(response.body.toString()).not.toContain(SENT)
      expect(upstream.requests).toEqual([])
    }
  })
})

describe('a key set that cannot sign', () => {
  it('hdr-033: fails the request, which never goes on without a token', async () => {
    const { keys } = JSON.parse(Buffer.from(keyUrl.slice('base64://'.length), 'base64').toString()) as JSONWebKeySet
    const set = { keys: keys.map(({ d: _secret, ...half }) => half) }
    const id_token = {
      ...on,
      config: {
        issuer_url: 'https://gw.example',
        jwks_url: `base64://${Buffer.from(JSON.stringify(set)).toString('base64')}`,
      },
    }
    await using broken = await startStd({
      store: store.url,
      rules: [rule('/admin/x', {}, upstream.origin)],
      config: { mutators: { id_token }, safeguards: { missing_signing_keys: 'isolate', invalid_rules: 'isolate' } },
    })
    upstream.reset()
    const head = 'GET /admin/x HTTP/1.1\r\nHost: gw.example\r\nCookie: ory_kratos_session=ALICE\r\n'
    const response = await sendRaw(broken.addresses.proxy.port, `${head}Authorization: Bearer ${SENT}\r\n\r\n`)
    expect(vector('hdr-033').expect.status).toEqual([response.status])
    expect(upstream.requests).toEqual([])
  })
})

describe('claims-template-injection, by header', () => {
  it('tpl-013: a line break in a trait makes no second header', async () => {
    traits = { name: vector('tpl-013').request['traits.name'] }
    expect(vector('tpl-013').expect.status).toContain((await ask('/header')).status)
    expect(upstream.requests).toEqual([])
  })

  it('tpl-014: text beyond ASCII goes as UTF-8', async () => {
    const name = vector('tpl-014').request['traits.name'] ?? ''
    traits = { name }
    expect(vector('tpl-014').expect.status).toContain((await ask('/header')).status)
    expect(upstream.requests.map((request) => valuesOf(request, 'x-user-name'))).toEqual([[name]])
  })

  it('every name of the catalogue', async () => {
    const names = cases.flatMap(({ request }) => request['traits.name'] ?? [])
    expect(names.length).toBeGreaterThan(4)
    for (const name of names) {
      traits = { name }
      const { status } = await ask('/header')
      expect(status).toBe(isUnfit(name) ? 500 : 200)
      expect(upstream.requests.flatMap((request) => request.all('x-hasura-role'))).toEqual([])
    }
  })
})
