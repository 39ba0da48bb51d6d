import { createHash, randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Decision } from '../../src/pipeline/contract/decision.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { okResponse, startBare, startRecorder } from '../support/recorder.ts'
import type { Bare, Recorder } from '../support/recorder.ts'
import { allow, refuse, secure, startProxy, targetOf } from './harness.ts'
import type { Harness } from './harness.ts'

let upstream: Recorder
let proxy: Harness

beforeAll(async () => {
  upstream = await startRecorder()
  proxy = await startProxy(() => allow(targetOf(upstream.origin)))
})
afterEach(() => {
  upstream.reset()
  proxy.reset()
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

/** More than the kernel buffers on the way through a gateway: Linux lets each receiving end have up to 32 MiB. */
const plenty = 256 * 1024 * 1024

const request = (line: string, headers: readonly string[] = [], body = ''): string =>
  [`${line} HTTP/1.1`, 'Host: gw.example', ...headers, '', body].join('\r\n')

describe('one request', () => {
  it('reaches the upstream and its answer the client', async () => {
    const response = await sendRaw(proxy.port, request('GET /a/b?c=d', ['User-Agent: ua/1']))
    expect(response.status).toBe(200)
    expect(response.body.toString()).toBe('ok')
    expect(upstream.requests).toHaveLength(1)
    expect(upstream.requests[0]?.target).toBe('/a/b?c=d')
    expect(upstream.requests[0]?.all('host')).toEqual([`127.0.0.1:${upstream.port}`])
    expect(await proxy.recorded(1)).toMatchObject({
      method: 'GET',
      status: 200,
      outcome: 'allowed',
      ruleId: 'rule',
      session: { subject: 'alice' },
      upstream: upstream.origin,
      userAgent: 'ua/1',
      remoteAddress: '127.0.0.1',
    })
  })

  it('is followed by another on the same connection', async () => {
    const client = await openClient(proxy.port)
    for (const path of ['/1', '/2', '/3']) {
      client.write(request(`GET ${path}`))
      expect((await client.response()).status).toBe(200)
    }
    client.close()
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/1', '/2', '/3'])
    expect(new Set(upstream.requests.map(({ connection }) => connection)).size).toBe(1)
  })

  it('keeps the connection to the upstream when the client closes its own each time', async () => {
    for (let i = 0; i < 3; i++) await sendRaw(proxy.port, request('GET /', ['Connection: close']))
    for (const { head } of upstream.requests) expect(head).toContain('connection: keep-alive')
    expect(new Set(upstream.requests.map(({ connection }) => connection)).size).toBe(1)
  })

  it('waits for a decision that takes its time', async () => {
    let decided: (decision: Decision) => void = () => undefined
    proxy.decide = () => new Promise((resolve) => (decided = resolve))
    const client = await openClient(proxy.port)
    client.write(request('POST /', ['Content-Length: 3'], 'abc'))
    await expect.poll(() => proxy.inbounds.length).toBe(1)
    decided(allow(targetOf(upstream.origin)))
    expect((await client.response()).status).toBe(200)
    expect(upstream.requests[0]?.body.toString()).toBe('abc')
    client.close()
  })

  it('is answered as the decision says when it is refused, and the session store’s cookie arrives', async () => {
    const error = new GatewayError('credentials_invalid')
    const answer = {
      status: 302,
      headers: [
        ['Location', '/login'],
        ['Set-Cookie', 'a=1'],
      ] as const,
      body: '',
    }
    proxy.decide = () => ({ allowed: false, error, answer })
    const response = await sendRaw(proxy.port, request('GET /'))
    expect(response.status).toBe(302)
    expect(response.header('location')).toBe('/login')
    expect(response.header('set-cookie')).toBe('a=1')
    expect(upstream.requests).toEqual([])
    expect(await proxy.recorded(1)).toMatchObject({ outcome: 'refused', code: 'credentials_invalid', status: 302 })
  })

  it('that is allowed brings what the session store said for the client', async () => {
    proxy.decide = () =>
      allow(targetOf(upstream.origin), { responseHeaders: [['Set-Cookie', 'ory_kratos_session=renewed']] })
    const response = await sendRaw(proxy.port, request('GET /'))
    expect(response.header('set-cookie')).toBe('ory_kratos_session=renewed')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('s3cret bug')
      },
    ],
    ['rejects', () => Promise.reject(new Error('s3cret bug'))],
  ] as [string, () => Promise<Decision>][])(
    'that meets a fault (%s) is one 500, and the next one goes on',
    async (_name, fault) => {
      proxy.decide = fault
      const response = await sendRaw(proxy.port, request('GET /'))
      expect(response.status).toBe(500)
      expect(response.body.toString()).not.toContain('s3cret')
      expect(proxy.logged.map(({ level }) => level)).toEqual(['error'])
      proxy.decide = () => allow(targetOf(upstream.origin))
      expect((await sendRaw(proxy.port, request('GET /'))).status).toBe(200)
    },
  )
})

describe('a request body', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])('of %s arrives with its length', async (method) => {
    await sendRaw(proxy.port, request(`${method} /`, ['Content-Length: 5', 'Content-Type: text/plain'], 'hello'))
    expect(upstream.requests[0]?.body.toString()).toBe('hello')
    expect(upstream.requests[0]?.all('content-length')).toEqual(['5'])
    expect(upstream.requests[0]?.all('transfer-encoding')).toEqual([])
  })

  it('in chunks arrives whole, in whatever framing', async () => {
    await sendRaw(proxy.port, request('POST /', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n6\r\ndefghi\r\n0\r\n\r\n'))
    expect(upstream.requests[0]?.body.toString()).toBe('abcdefghi')
  })

  it('of 2 MiB arrives unchanged', async () => {
    const body = randomBytes(2 * 1024 * 1024)
    const client = await openClient(proxy.port)
    client.write(request('POST /', [`Content-Length: ${body.length}`]))
    client.write(body)
    expect((await client.response()).status).toBe(200)
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
    expect(digest(upstream.requests[0]!.body)).toBe(digest(body))
    client.close()
  })

  it('of no byte is announced as such', async () => {
    await sendRaw(proxy.port, request('POST /', ['Content-Length: 0']))
    expect(upstream.requests[0]?.all('content-length')).toEqual(['0'])
  })

  it('is asked for after the decision, never before', async () => {
    const client = await openClient(proxy.port)
    client.write(request('POST /', ['Expect: 100-continue', 'Content-Length: 3']))
    expect((await client.response()).status).toBe(100)
    expect(proxy.inbounds).toHaveLength(1)
    expect(upstream.requests).toEqual([])
    client.write('abc')
    expect((await client.response()).status).toBe(200)
    expect(upstream.requests[0]?.body.toString()).toBe('abc')
    expect(upstream.requests[0]?.all('expect')).toEqual([])
    client.close()
  })

  it('is not asked for when the request is refused', async () => {
    proxy.decide = () => refuse(new GatewayError('credentials_invalid'))
    const client = await openClient(proxy.port)
    client.write(request('POST /', ['Expect: 100-continue', 'Content-Length: 3']))
    const response = await client.response()
    expect(response.status).toBe(401)
    expect(response.header('connection')).toBe('close')
    expect(await client.closed).toBe('end')
  })

  it.each([
    ['with a length', ['Content-Length: 10'], 'abc'],
    ['in chunks', ['Transfer-Encoding: chunked'], '3\r\nabc\r\n'],
  ])('that stops coming (%s) is a 408, and the upstream never sees a whole request', async (_name, headers, body) => {
    proxy.settings = { ...secure, timeouts: { ...secure.timeouts, read: 50 } }
    const client = await openClient(proxy.port)
    client.write(request('POST /', headers, body))
    expect((await client.response()).status).toBe(408)
    expect(await client.closed).toBe('end')
    expect(upstream.requests).toEqual([])
    expect(await proxy.recorded(1)).toMatchObject({ outcome: 'failed', code: 'request_timeout' })
  })

  it('is not missed by an upstream that answers early, and the client reads that answer', async () => {
    const server = await startEarly()
    try {
      proxy.decide = () => allow(targetOf(server.origin))
      const client = await openClient(proxy.port)
      client.write(request('POST /', ['Content-Length: 1000000'], 'x'.repeat(100_000)))
      expect((await client.response()).status).toBe(413)
      client.close()
    } finally {
      await server.close()
    }
  })

  it('brings its trailers, but none that belong in the head or to the gateway', async () => {
    proxy.settings = { ...secure, ownedHeaders: new Set(['x-tenant']) }
    const head = request('POST /', ['Transfer-Encoding: chunked', 'Trailer: X-Sum, X-Tenant, Authorization'])
    const trailers = 'X-Sum: 6\r\nX-Tenant: other\r\nX_Tenant: other\r\nAuthorization: x\r\nX-Hasura-Role: admin\r\n'
    const response = await sendRaw(proxy.port, `${head}3\r\nabc\r\n0\r\n${trailers}\r\n`)
    expect(response.status).toBe(200)
    expect(upstream.requests[0]?.all('trailer')).toEqual(['X-Sum'])
    expect(upstream.bytes().slice(upstream.bytes().indexOf('\r\n\r\n') + 4)).toBe('3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n')
  })

  it('rel-027: goes no faster than the upstream takes it', async () => {
    const stuck = await startStuck()
    try {
      proxy.decide = () => allow(targetOf(stuck.origin))
      const client = await openClient(proxy.port)
      client.write(request('POST /', ['Transfer-Encoding: chunked']))
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
      let taken = 0
      // What kernel and proxy buffer is finite: at some point the client's own socket takes no more.
      while (taken < plenty) {
        taken += chunk.length
        if (client.socket.write(chunk)) continue
        const drained = await Promise.race([
          new Promise<boolean>((resolve) => client.socket.once('drain', () => resolve(true))),
          new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300)),
        ])
        if (!drained) break
      }
      expect(taken).toBeLessThan(plenty)
      client.close()
    } finally {
      await stuck.close()
    }
  })
})

describe('an answer', () => {
  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 10\r\n\r\n'],
  ])('%s without a body is followed by the next one', async (method, bytes) => {
    const client = await openClient(proxy.port)
    for (let i = 0; i < 2; i++) {
      upstream.respond = () => bytes
      client.write(request(`${method} /`))
      const response = await client.response({ head: method === 'HEAD' })
      expect(bytes).toContain(`HTTP/1.1 ${response.status}`)
      expect(response.header('transfer-encoding')).toBeUndefined()
      upstream.respond = () => okResponse
      client.write(request('GET /'))
      expect((await client.response()).body.toString()).toBe('ok')
    }
    client.close()
  })

  it('to HEAD without a length gets none', async () => {
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Range: 0-0/2\r\n\r\n'
    const response = await sendRaw(proxy.port, request('HEAD /'), { head: true })
    expect(response.header('content-range')).toBe('0-0/2')
    expect(response.header('content-length')).toBeUndefined()
    expect(response.header('transfer-encoding')).toBeUndefined()
  })

  it('passes with its status, duplicate headers and encoding untouched', async () => {
    upstream.respond = () =>
      [
        'HTTP/1.1 206 Partial Content',
        'Content-Range: bytes 0-3/10',
        'Content-Encoding: gzip',
        'Set-Cookie: a=1; Path=/',
        'Set-Cookie: b=2',
        'Content-Type: a/b',
        'Content-Type: c/d',
        'Content-Length: 4\r\n\r\n\u001F\u008B\0\u00FF',
      ].join('\r\n')
    const response = await sendRaw(proxy.port, request('GET /', ['Accept-Encoding: gzip']))
    expect(response.status).toBe(206)
    expect([...response.body]).toEqual([0x1f, 0x8b, 0, 0xff])
    const values = (name: string): string[] =>
      response.headers.filter(([other]) => other === name).map(([, value]) => value)
    expect(values('Set-Cookie')).toEqual(['a=1; Path=/', 'b=2'])
    expect(values('Content-Type')).toEqual(['a/b', 'c/d'])
    expect(response.header('content-encoding')).toBe('gzip')
  })

  it('comes as it is made: head, then each event', async () => {
    let send: (text: string) => void = () => undefined
    upstream.respond = (_, socket) => {
      send = (text) => void socket.write(`${text.length.toString(16)}\r\n${text}\r\n`)
      return 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
    }
    const client = await openClient(proxy.port)
    client.write(request('GET /'))
    await client.until((bytes) => bytes.includes('text/event-stream') && bytes.includes('\r\n\r\n'))
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      send(event)
      expect((await client.until((bytes) => bytes.includes(event))).toString()).toContain(event)
    }
    client.close()
  })

  it('without a length ends with the upstream’s connection', async () => {
    upstream.respond = (_, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')
      return undefined
    }
    const response = await sendRaw(proxy.port, request('GET /'))
    expect(response.body.toString()).toBe('all of it')
    expect(response.header('transfer-encoding')).toBe('chunked')
  })

  it('without a length that is reset is broken for the client, too', async () => {
    upstream.respond = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nsome of it', () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      )
      return undefined
    }
    const client = await openClient(proxy.port)
    client.write(request('GET /'))
    await expect(client.response()).rejects.toThrow('ended early')
    expect(client.rest().toString()).not.toContain('\r\n0\r\n')
  })

  it('to HTTP/1.0 ends with the connection', async () => {
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
    const response = await sendRaw(proxy.port, 'GET / HTTP/1.0\r\nHost: gw.example\r\n\r\n')
    expect(response.header('transfer-encoding')).toBeUndefined()
    expect(response.body.toString()).toBe('abc')
  })

  it('brings its trailers, but none that belong in the head', async () => {
    upstream.respond = () =>
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\nSet-Cookie: a=1\r\nAuthorization: x\r\n\r\n'
    const response = await sendRaw(proxy.port, request('GET /'))
    expect(response.header('trailer')).toBe('X-Sum')
    expect(response.trailers).toEqual([['X-Sum', '6']])
  })

  it('is preceded by its early hints', async () => {
    upstream.respond = () =>
      `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\nSet-Cookie: a=1\r\n\r\n${okResponse}`
    const client = await openClient(proxy.port)
    client.write(request('GET /'))
    const hints = await client.response()
    expect(hints.status).toBe(103)
    expect(hints.headers).toEqual([['Link', '</a.css>; rel=preload; as=style']])
    expect((await client.response()).body.toString()).toBe('ok')
    client.close()
  })

  it('of 8 MiB arrives whole', async () => {
    const body = randomBytes(8 * 1024 * 1024)
    upstream.respond = (_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
      socket.write(body)
      return undefined
    }
    expect((await sendRaw(proxy.port, request('GET /'))).body.equals(body)).toBe(true)
  })

  it('comes no faster than the client takes it', async () => {
    let taken = 0
    let stalled: () => void = () => undefined
    const stall = new Promise<void>((resolve) => (stalled = resolve))
    upstream.respond = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const chunk = Buffer.alloc(65_536)
      const more = (): void => {
        while (taken < plenty) {
          taken += chunk.length
          if (socket.write(chunk)) continue
          const timer = setTimeout(stalled, 300)
          socket.once('drain', () => {
            clearTimeout(timer)
            more()
          })
          return
        }
        stalled()
      }
      more()
      return undefined
    }
    const client = await openClient(proxy.port)
    client.socket.pause()
    client.write(request('GET /'))
    await stall
    expect(taken).toBeLessThan(plenty)
    client.close()
  })
})

describe('an upstream', () => {
  it('that is down is an empty 502', async () => {
    const gone = await startRecorder()
    await gone.close()
    proxy.decide = () => allow(targetOf(gone.origin))
    for (const method of ['GET', 'POST']) {
      const response = await sendRaw(proxy.port, request(`${method} /`, ['Content-Length: 0']))
      expect(response.status).toBe(502)
      expect(response.body).toHaveLength(0)
    }
    expect(await proxy.recorded(2)).toMatchObject({
      outcome: 'failed',
      code: 'upstream_unreachable',
      reason: expect.stringMatching(/^the upstream refused the connection \(connect ECONNREFUSED 127/) as unknown,
      status: 502,
    })
  })

  it('that does not speak TLS, where the rule says https, was not reached', async () => {
    proxy.decide = () => allow(targetOf(upstream.origin.replace('http:', 'https:')))
    expect((await sendRaw(proxy.port, request('GET /'))).status).toBe(502)
    expect(await proxy.recorded(1)).toMatchObject({ outcome: 'failed', code: 'upstream_unreachable' })
  })

  it.each([
    ['hangs up', undefined, 'broke off|closed'],
    ['answers with something else than HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', 'is not valid HTTP'],
  ])('that %s was reached, and is a 502', async (_does, bytes, why) => {
    upstream.respond = (_, socket) => {
      if (bytes === undefined) socket.resetAndDestroy()
      else socket.end(bytes)
      return undefined
    }
    const response = await sendRaw(proxy.port, request('POST /', ['Content-Length: 0']))
    expect([response.status, response.body.length]).toEqual([502, 0])
    expect(await proxy.recorded(1)).toMatchObject({
      outcome: 'failed',
      code: 'upstream_broken',
      reason: expect.stringMatching(new RegExp(`^the .*upstream .*${why}`)) as unknown,
    })
  })

  it('with a head of 17 KiB is a 502', async () => {
    upstream.respond = () => `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(17 * 1024)}\r\nContent-Length: 0\r\n\r\n`
    expect((await sendRaw(proxy.port, request('GET /'))).status).toBe(502)
  })

  it('that stops in the middle of a body is a broken message', async () => {
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'
    proxy.settings = { ...secure, timeouts: { ...secure.timeouts, write: 100 } }
    const client = await openClient(proxy.port)
    client.write(request('GET /'))
    await expect(client.response()).rejects.toThrow('ended early')
    expect(await proxy.recorded(1)).toMatchObject({ outcome: 'failed', code: 'upstream_timeout', status: 200 })
  })

  it('that hangs up on a kept connection is asked once more, on a new one', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      upstream.reset()
      await sendRaw(proxy.port, request('GET /warm'))
      const used = upstream.requests[0]!.connection
      upstream.respond = (asked, socket) => {
        if (asked.connection !== used) return okResponse
        socket.resetAndDestroy()
        return undefined
      }
      expect((await sendRaw(proxy.port, request(`${method} /`), { head: method === 'HEAD' })).status).toBe(200)
      expect(upstream.requests.map(({ target }) => target)).toEqual(['/warm', '/', '/'])
    }
  })

  it('that hangs up is not asked again for what may have happened', async () => {
    await sendRaw(proxy.port, request('GET /warm'))
    upstream.respond = (_, socket) => {
      socket.destroy()
      return undefined
    }
    expect((await sendRaw(proxy.port, request('POST /', ['Content-Length: 3'], 'abc'))).status).toBe(502)
    expect((await sendRaw(proxy.port, request('DELETE /'))).status).toBe(502)
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/warm', '/', '/'])
  })

  it('that hangs up on a new connection, or again, is not asked a third time', async () => {
    await sendRaw(proxy.port, request('GET /warm'))
    upstream.respond = (_, socket) => {
      socket.destroy()
      return undefined
    }
    expect((await sendRaw(proxy.port, request('GET /'))).status).toBe(502)
    expect(upstream.requests).toHaveLength(3)
    expect((await sendRaw(proxy.port, request('GET /'))).status).toBe(502)
    expect(upstream.requests).toHaveLength(4)
  })

  it('is let go when the client leaves before the answer', async () => {
    let left: () => void = () => undefined
    const gone = new Promise<void>((resolve) => (left = resolve))
    upstream.respond = (_, socket) => {
      socket.on('close', () => left())
      return undefined
    }
    const client = await openClient(proxy.port)
    client.write(request('GET /'))
    await upstream.arrived(1)
    client.close()
    await gone
    expect(await proxy.recorded(1)).toMatchObject({ status: 499, code: 'client_closed_request' })
    expect(proxy.logged).toEqual([])
  })

  it('is let go when the client leaves in the middle of an endless answer', async () => {
    let left: () => void = () => undefined
    const gone = new Promise<void>((resolve) => (left = resolve))
    upstream.respond = (_, socket) => {
      socket.on('close', () => left())
      return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'
    }
    const client = await openClient(proxy.port)
    client.write(request('GET /'))
    await client.until((bytes) => bytes.includes('abc'))
    client.close()
    await expect(gone).resolves.toBeUndefined()
  })

  it('is not asked when the client has left before the decision', async () => {
    let decided: (decision: Decision) => void = () => undefined
    proxy.decide = () => new Promise((resolve) => (decided = resolve))
    const client = await openClient(proxy.port)
    client.write(request('GET /'))
    await expect.poll(() => proxy.inbounds.length).toBe(1)
    client.close()
    await proxy.recorded(1)
    decided(allow(targetOf(upstream.origin)))
    await sendRawAllowed()
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/after'])
  })

  it('rel-046: that is slow costs others nothing: what waits for it is bounded and refused at once', async () => {
    const limited = await startProxy(() => allow(targetOf(upstream.origin)), secure, {
      upstreams: { connections: 1, waiting: 1 },
    })
    upstream.respond = () => undefined
    const clients = await Promise.all([1, 2].map(() => openClient(limited.port)))
    for (const client of clients) client.write(request('GET /'))
    await expect.poll(() => limited.inbounds.length).toBe(2)
    const refused = await sendRaw(limited.port, request('GET /'))
    expect(refused.status).toBe(503)
    expect(refused.header('retry-after')).toBe('1')
    for (const client of clients) client.close()
    await limited.close()
  })
})

async function sendRawAllowed(): Promise<void> {
  proxy.decide = () => allow(targetOf(upstream.origin))
  await sendRaw(proxy.port, request('GET /after'))
}

/** Answers 413 as soon as a head has come, and reads no further. */
function startEarly(): Promise<Bare> {
  return startBare((socket) => {
    socket.once('data', () => {
      socket.pause()
      socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    })
  })
}

/** Accepts and never reads. */
function startStuck(): Promise<Bare> {
  return startBare((socket) => socket.pause())
}
