/** Upstreams, clients and clocks that misbehave, at a whole gateway. */
import { decodeJwt } from 'jose'
import { connect } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ListeningGateway } from '../support/gateway.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { okResponse, startBare, startRecorder } from '../support/recorder.ts'
import { claimsOf, keyUrl, loadStd, rule, sessionOf, startStd, vector, whoami, type Std } from './setup.ts'

const store = 'http://127.0.0.1:9'
const open = { authenticators: [{ handler: 'anonymous' }], mutators: [{ handler: 'noop' }] }
const alice = { Cookie: 'ory_kratos_session=ALICE' }
const admin = () => inboundOf('http://gw.example/admin/x', { headers: alice })
const head = (method = 'GET', path = '/public/x', lines = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: gw.example\r\n${lines}\r\n`

/** The set-up `std` with one open rule whose upstream, and how it is spoken to, is to be tried. */
const startOpen = (upstream: object, rest: Partial<Std> = {}): Promise<ListeningGateway> =>
  startStd({ store, rules: [rule('/public/x', { ...open, upstream })], ...rest })

const portOf = ({ addresses }: ListeningGateway): number => addresses.proxy.port

describe('upstreams', { timeout: 60_000 }, () => {
  it('rel-015: one that refuses is a 502, told apart from a refusal', async () => {
    const gone = await startRecorder()
    await gone.close()
    await using gateway = await startOpen({ url: gone.origin })
    expect(vector('rel-015').expect.status).toEqual([(await sendRaw(portOf(gateway), head())).status])
  })

  it('rel-016: one that never answers is a 504, and is let go', async () => {
    const hanging = await startRecorder(() => undefined)
    await using gateway = await startOpen({ url: hanging.origin, timeout: { response: '300ms' } })
    expect(vector('rel-016').expect.status).toEqual([(await sendRaw(portOf(gateway), head())).status])
    await expect.poll(() => hanging.open(), { timeout: 5000 }).toBe(0)
    await hanging.close()
  })

  /** An upstream that ends its connection as soon as a second request comes on it. */
  const startTired = () => {
    const seen: string[] = []
    return startRecorder((request, socket) => {
      const again = seen.includes(`${request.connection}`)
      seen.push(`${request.connection}`)
      if (!again) return okResponse
      socket.destroy()
      return undefined
    })
  }

  it('rel-019: GET on a connection that the upstream just closes is asked again on a new one', async () => {
    const tired = await startTired()
    await using gateway = await startOpen({ url: tired.origin })
    const client = await openClient(portOf(gateway))
    for (let i = 0; i < 100; i++) {
      client.write(head())
      expect((await client.response()).status).toBe(200)
    }
    client.close()
    await tired.close()
  })

  it('rel-020: POST is not', async () => {
    const tired = await startTired()
    await using gateway = await startOpen({ url: tired.origin })
    const post = `${head('POST', '/public/x', 'Content-Length: 2\r\n')}{}`
    expect((await sendRaw(portOf(gateway), post)).status).toBe(200)
    expect((await sendRaw(portOf(gateway), post)).status).toBe(502)
    expect(tired.requests).toHaveLength(2)
    await tired.close()
  })

  it('rel-021: POST goes to the second address when nobody listens at the first', async () => {
    // Where the name has one address only, that one it is.
    const upstream = await startRecorder()
    await using gateway = await startOpen({ url: `http://localhost:${upstream.port}` })
    const post = `${head('POST', '/public/x', 'Content-Length: 2\r\n')}{}`
    expect((await sendRaw(portOf(gateway), post)).status).toBe(200)
    await upstream.close()
  })

  it('rel-047: one that hangs costs another nothing', async () => {
    const hanging = await startRecorder(() => undefined)
    const healthy = await startRecorder()
    await using gateway = await startStd({
      store,
      rules: [
        rule('/hanging', { ...open, upstream: { url: hanging.origin } }),
        rule('/healthy', { ...open, upstream: { url: healthy.origin } }),
      ],
    })
    const clients = await Promise.all(Array.from({ length: 200 }, () => openClient(portOf(gateway))))
    for (const client of clients) client.write(head('GET', '/hanging'))
    await hanging.arrived(50)
    const client = await openClient(portOf(gateway))
    for (let i = 0; i < 200; i++) {
      client.write(head('GET', '/healthy'))
      expect((await client.response()).status).toBe(200)
    }
    for (const each of [client, ...clients]) each.close()
    await hanging.close()
    await healthy.close()
  })

  it('rel-051: a head that is too large is a 502', async () => {
    const upstream = await startRecorder(
      () => `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(17_000)}\r\nContent-Length: 0\r\n\r\n`,
    )
    await using gateway = await startOpen({ url: upstream.origin })
    expect(vector('rel-051').expect.status).toEqual([(await sendRaw(portOf(gateway), head())).status])
    await upstream.close()
  })

  it('rel-052: an event is there as soon as it is sent, however long the stream is', async () => {
    let send: (text: string) => void = () => undefined
    const upstream = await startBare((socket) => {
      send = (text) => socket.write(`${text.length.toString(16)}\r\n${text}\r\n`)
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'),
      )
    })
    await using gateway = await startOpen({ url: upstream.origin })
    const client = await openClient(portOf(gateway))
    client.write(head())
    await client.until((bytes) => bytes.includes('\r\n\r\n'))
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      send(event)
      expect((await client.until((bytes) => bytes.includes(event))).toString()).toContain(event)
    }
    client.close()
    await upstream.close()
  })
})

describe('clients', { timeout: 60_000 }, () => {
  it('rel-022: one that goes away takes its request to the upstream with it, and no more', async () => {
    const hanging = await startRecorder(() => undefined)
    await using gateway = await startOpen({ url: hanging.origin })
    const client = await openClient(portOf(gateway))
    client.write(head())
    await hanging.arrived(1)
    client.close()
    await expect.poll(() => hanging.open(), { timeout: 5000 }).toBe(0)
    await expect
      .poll(() => gateway.log.some((line) => line.includes('client_closed_request')), { timeout: 5000 })
      .toBe(true)
    expect(gateway.log.filter((line) => /"level":"(error|warning)"/.test(line))).toEqual([])
    await hanging.close()
  })

  it('rel-024: one whose body stops is told 408', async () => {
    const upstream = await startRecorder()
    await using gateway = await startOpen(
      { url: upstream.origin },
      { config: { serve: { proxy: { timeout: { read: '300ms' } } } } },
    )
    const slow = `${head('POST', '/public/x', 'Content-Length: 10\r\n')}abc`
    expect(vector('rel-024').expect.status).toEqual([(await sendRaw(portOf(gateway), slow)).status])
    expect(upstream.requests).toEqual([])
    await upstream.close()
  })

  it('rel-026: one that sends more than the rule takes is told 413, and cut off', async () => {
    const upstream = await startRecorder()
    await using gateway = await startOpen({ url: upstream.origin, max_body_bytes: 1_048_576 })
    const announced = head('POST', '/public/x', 'Content-Length: 1048577\r\n')
    expect(vector('rel-026').expect.status).toEqual([(await sendRaw(portOf(gateway), announced)).status])
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 'a'), Buffer.from('\r\n')])
    // Sends for as long as it is listened to.
    const client = await openClient(portOf(gateway))
    client.write(head('POST', '/public/x', 'Transfer-Encoding: chunked\r\n'))
    const more = (): void => {
      while (!client.socket.destroyed && client.socket.write(chunk));
    }
    client.socket.on('drain', more)
    more()
    expect((await client.response()).status).toBe(413)
    await client.closed
    expect(upstream.requests).toEqual([])
    // What was on its way is not the whole of it.
    expect(upstream.bytes().length).toBeLessThan(1_048_576 + 65_536 + 32_768)
    const whole = `${head('POST', '/public/x', 'Transfer-Encoding: chunked\r\n')}2\r\nok\r\n0\r\n\r\n`
    expect((await sendRaw(portOf(gateway), whole)).status).toBe(200)
    await upstream.close()
  })

  it('rel-048, rel-050: many requests on one connection, and one on each of many, keep the upstream’s connection', async () => {
    const upstream = await startRecorder()
    await using gateway = await startOpen({ url: upstream.origin })
    const client = await openClient(portOf(gateway))
    for (let i = 0; i < 1000; i++) {
      client.write(head())
      expect((await client.response()).status).toBe(200)
    }
    client.close()
    for (let i = 0; i < 100; i++) {
      expect((await sendRaw(portOf(gateway), head('GET', '/public/x', 'Connection: close\r\n'))).status).toBe(200)
    }
    expect(upstream.connections()).toBe(1)
    await upstream.close()
  })

  it('slowloris: connections that say nothing, or half a head, hold up nobody', async () => {
    const upstream = await startRecorder()
    await using gateway = await startOpen({ url: upstream.origin })
    const slow = Array.from({ length: 500 }, (_, i) => {
      const socket = connect({ port: portOf(gateway), host: '127.0.0.1' })
      socket.on('error', () => undefined)
      if (i % 2 === 0) socket.write('GET /public/x HTTP/1.1\r\nHost:')
      return socket
    })
    for (let i = 0; i < 50; i++) expect((await sendRaw(portOf(gateway), head())).status).toBe(200)
    for (const socket of slow) socket.destroy()
    await upstream.close()
  })
})

describe('the session store', { timeout: 60_000 }, () => {
  it('rel-013: a thousand users whose sessions end together are asked for, never more than 128 at a time', async () => {
    let under = 0
    let most = 0
    await using kratos = await startServer((_request, response) => {
      most = Math.max(most, ++under)
      setImmediate(() => {
        under--
        response.end(JSON.stringify(sessionOf('somebody')))
      })
    })
    await using test = await loadStd({ store: kratos.url })
    const decisions = await Promise.all(
      Array.from({ length: 1000 }, async (_, i) =>
        test.gateway.decide(inboundOf('http://gw.example/admin/x', { headers: { Cookie: `ory_kratos_session=${i}` } })),
      ),
    )
    expect(decisions.filter(({ allowed }) => !allowed)).toEqual([])
    expect(most).toBeLessThanOrEqual(128)
    expect(kratos.requests).toHaveLength(1000)
  })

  it('rel-014: one that is gone is not stormed, kept sessions go on, and it is noticed when it is back', async () => {
    let gone = false
    await using kratos = await startServer((request, response) => {
      if (gone) request.socket.destroy()
      else whoami(request, response)
    })
    const kept = { authenticators: [{ handler: 'cookie_session', config: { cache: { ttl: '1h' } } }] }
    await using test = await loadStd({ store: kratos.url, rules: [rule('/admin/x', kept)] })
    expect(claimsOf(await test.gateway.decide(admin())).sub).toBe('alice')
    gone = true
    const before = kratos.requests.length
    const bob = inboundOf('http://gw.example/admin/x', { headers: { Cookie: 'ory_kratos_session=BOB' } })
    for (let i = 0; i < 500; i++) {
      const decision = await test.gateway.decide(bob)
      expect(decision.allowed ? 200 : decision.answer.status).toBe(503)
    }
    expect(kratos.requests.length - before).toBeLessThan(20)
    expect(claimsOf(await test.gateway.decide(admin())).sub).toBe('alice')
    gone = false
    await expect
      .poll(async () => (await test.gateway.decide(bob)).allowed, { timeout: 10_000, interval: 50 })
      .toBe(true)
  })
})

describe('clocks', { timeout: 60_000 }, () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('rel-039: a token is good for an upstream whose clock is 25 s behind, or ahead', async () => {
    await using kratos = await startServer(whoami)
    const mutators = {
      noop: { enabled: true },
      id_token: { enabled: true, config: { issuer_url: 'https://gw.example', jwks_url: keyUrl } },
    }
    await using test = await loadStd({ store: kratos.url, config: { mutators, safeguards: { token_backdate: 30 } } })
    const { iat = 0, nbf = 0, exp = 0 } = claimsOf(await test.gateway.decide(admin()))
    const now = Date.now() / 1000
    expect(Math.max(iat, nbf)).toBeLessThanOrEqual(now - 25)
    expect(exp).toBeGreaterThan(now + 25)
  })

  it('rel-040: a jump of the wall clock ends no memory of sessions and keeps none for ever', async () => {
    await using kratos = await startServer((_request, response) => {
      response.end(JSON.stringify(sessionOf('alice', { expires_at: '2999-01-01T00:00:00Z' })))
    })
    const kept = { authenticators: [{ handler: 'cookie_session', config: { cache: { ttl: '1h' } } }] }
    await using test = await loadStd({ store: kratos.url, rules: [rule('/admin/x', kept)] })
    const at = async () => decodeJwt(tokenOf(await test.gateway.decide(admin()))).iat ?? 0
    const first = await at()
    for (const hours of [1, -1]) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hours * 3_600_000 })
      expect(Math.abs((await at()) - first - hours * 3600)).toBeLessThan(60)
      vi.useRealTimers()
    }
    expect(kratos.requests).toHaveLength(1)
  })
})

function tokenOf(decision: Awaited<ReturnType<Awaited<ReturnType<typeof loadStd>>['gateway']['decide']>>): string {
  if (!decision.allowed) throw new Error(`refused: ${decision.error.message}`)
  return (decision.edits.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? '').replace('Bearer ', '')
}
