/** The catalogue's attacks on upgrades: exact bytes to a whole gateway, and what its upstream got. */
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { bytesOf, idsOf, rule, startStd, vector, whoami } from '../security/setup.ts'
import type { ListeningGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { startRecorder, type Recorder } from '../support/recorder.ts'
import { closeOf, frame, readFrames } from './frames.ts'

let store: TestServer
let upstream: Recorder
let gateway: ListeningGateway

const accepted =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: '

beforeAll(async () => {
  store = await startServer(whoami)
  upstream = await startRecorder((request) =>
    request.all('upgrade').length === 0
      ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
      : `${accepted}${request.all('sec-websocket-protocol')[0] ?? 'graphql-ws'}\r\n\r\n`,
  )
  const to = { url: upstream.origin }
  gateway = await startStd({
    store: store.url,
    rules: [
      rule('/admin<(/.*)?>', { upstream: to }),
      rule('/v1/graphql', {
        upstream: {
          ...to,
          websocket: { allowed_origins: ['https://app.example'], graphql: { credentials: 'payload_headers' } },
        },
      }),
    ],
  })
})
afterEach(() => upstream.reset())
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream.close()
  await store[Symbol.asyncDispose]()
})

/** The rest of the class, by the test that holds it. */
const elsewhere: Readonly<Record<string, string>> = {
  'ws-022': 'lifetime: ws-022: has to come back shortly before its token ends',
  'ws-024': 'lifetime: ws-024: is cut off when its client takes nothing any more',
  'ws-025': 'lifetime: ws-025: is asked for a sign of life, and stays as long as it gives one',
  'ws-026': 'upgrade: ws-026: is told 1001 when the gateway goes away, and its connections end',
  'ws-029': 'upgrade: ws-029',
}

const raw = idsOf('websocket').filter((id) => vector(id).request.kind === 'raw')
const sequences = ['ws-017', 'ws-023', 'ws-027']

async function open(protocol: string, { addresses } = gateway) {
  const client = await openClient(addresses.proxy.port)
  const text = bytesOf('ws-001').toString('latin1')
  const cookie = 'Cookie: ory_kratos_session=ALICE\r\nX-Hasura-Role: admin\r\n'
  const bytes = text
    .replace('Sec-WebSocket-Protocol: graphql-transport-ws', `Sec-WebSocket-Protocol: ${protocol}`)
    .replace('Connection:', `${cookie}Connection:`)
  client.write(bytes)
  return client
}

const framesAtUpstream = () => {
  const bytes = Buffer.from(upstream.bytes(), 'latin1')
  return readFrames(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)).frames
}

describe('the class websocket', () => {
  it('is run as a whole', () => {
    expect([...raw, ...sequences, ...Object.keys(elsewhere)].sort()).toEqual(idsOf('websocket').sort())
  })

  it.each(raw)('%s', async (id) => {
    const { status, upstream: expected } = vector(id).expect
    const response = await sendRaw(gateway.addresses.proxy.port, bytesOf(id))
    expect(status).toContain(response.status)
    expect(expected === 'not_reached' ? upstream.requests : []).toEqual([])
    expect(upstream.requests.filter(({ target }) => target !== '/v1/graphql')).toEqual([])
  })

  it.each(['graphql-ws', 'graphql-transport-ws'])('ws-017: connection_init is rebuilt in %s', async (protocol) => {
    const client = await open(protocol)
    expect((await client.response()).status).toBe(101)
    expect(upstream.requests[0]?.all('authorization')).toEqual([])
    expect(upstream.requests[0]?.all('x-hasura-role')).toEqual([])
    const headers = { Authorization: 'Bearer mine', 'X-Hasura-Role': 'admin', 'x-hasura-admin-secret': 's' }
    const sent = JSON.stringify({ type: 'connection_init', payload: { headers, lang: 'de' } })
    client.write(frame(1, sent.slice(0, 20), { fin: false }))
    client.write(frame(0, sent.slice(20)))
    await expect.poll(() => framesAtUpstream().length).toBe(1)
    const [init] = framesAtUpstream()
    const { type, payload } = JSON.parse(init!.payload.toString()) as {
      readonly type: string
      readonly payload: { readonly headers: Readonly<Record<string, string>>; readonly lang: string }
    }
    expect(type).toBe('connection_init')
    expect(payload.lang).toBe('de')
    expect(Object.keys(payload.headers)).toEqual(['Authorization'])
    expect(decodeJwt(payload.headers['Authorization']!.replace('Bearer ', '')).sub).toBe('alice')
    client.close()
  })

  it.each([
    [
      'one frame of 17 MiB',
      [frame(1, '{"type":"connection_init"}'), frame(1, Buffer.alloc(17 << 20, ' ')).subarray(0, 1 << 20)],
    ],
    [
      'ever more empty frames',
      [frame(1, '', { fin: false }), ...Array<Buffer>(20_000).fill(frame(0, '', { fin: false }))],
    ],
  ])('ws-023: %s', async (_name, sent) => {
    const client = await open('graphql-transport-ws')
    expect((await client.response()).status).toBe(101)
    client.write(Buffer.concat(sent))
    const bytes = await client.until((received) => readFrames(received).frames.length === 1)
    expect(closeOf(readFrames(bytes).frames[0]!)[0]).toBe(1009)
    await client.closed
  })

  it('ws-027: an upstream that refuses is heard over HTTP', async () => {
    upstream.respond = () => 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'
    const client = await open('graphql-transport-ws')
    expect((await client.response()).status).toBe(503)
    await client.closed
  })

  it.each([
    ['graphql-ws', 'start', ['{"type":"connection_error","payload":{"message":"Unauthorized"}}']],
    ['graphql-transport-ws', 'subscribe', []],
  ])('%s: no operation reaches the upstream before connection_init', async (protocol, type, told) => {
    const client = await open(protocol)
    expect((await client.response()).status).toBe(101)
    const operation = frame(1, JSON.stringify({ id: '1', type, payload: { query: 'mutation {a}' } }))
    client.write(Buffer.concat([operation, frame(1, '{"type":"connection_init"}')]))
    const bytes = await client.until((received) => readFrames(received).frames.at(-1)?.opcode === 8)
    const { frames } = readFrames(bytes)
    expect(frames.slice(0, -1).map(({ payload }) => payload.toString())).toEqual(told)
    expect(closeOf(frames.at(-1)!)).toEqual([4401, 'Unauthorized'])
    await client.closed
    expect(framesAtUpstream().map(({ opcode }) => opcode)).toEqual([8])
  })

  it("another site's handshake is refused to the proxy and by /decisions alike", async () => {
    const authenticators = [
      { handler: 'cookie_session', config: { csrf: { allowed_origins: ['https://app.example'] } } },
    ]
    const to = { url: upstream.origin, websocket: { allowed_origins: ['*'] } }
    await using own = await startStd({
      store: store.url,
      rules: [rule('/v1/graphql', { authenticators, upstream: to })],
    })
    const { proxy, api } = own.addresses
    const handshake = (origin: string): string =>
      bytesOf('ws-001')
        .toString('latin1')
        .replace(/Origin: .*\r\n/, '')
        .replace('Connection:', `Cookie: ory_kratos_session=ALICE\r\nOrigin: ${origin}\r\nConnection:`)
    const question = (origin: string): string =>
      'GET /decisions/v1/graphql HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: gw.example\r\n' +
      `Cookie: ory_kratos_session=ALICE\r\nOrigin: ${origin}\r\nSec-WebSocket-Version: 13\r\n` +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nConnection: close\r\n\r\n'
    for (const origin of ['https://evil.example', 'null']) {
      expect((await sendRaw(proxy.port, handshake(origin))).status).toBe(403)
      expect((await sendRaw(api.port, question(origin))).status).toBe(403)
    }
    expect(upstream.requests).toEqual([])
    expect((await sendRaw(proxy.port, handshake('https://app.example'))).status).toBe(101)
    expect((await sendRaw(api.port, question('https://app.example'))).status).toBe(200)
  })

  it('a socket ends with its rule', async () => {
    await using own = await startStd({
      store: store.url,
      rules: [rule('/v1/graphql', { upstream: { url: upstream.origin, websocket: { recheck: '50ms' } } })],
    })
    const client = await open('graphql-transport-ws', own)
    expect((await client.response()).status).toBe(101)
    own.write('rules.json', [rule('/other')])
    await own.gateway.reload()
    const bytes = await client.until((received) => readFrames(received).frames.length === 1)
    expect(closeOf(readFrames(bytes).frames[0]!)).toEqual([4401, 'session ended'])
    await client.closed
  })
})
