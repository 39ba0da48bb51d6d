import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Decision } from '../../src/pipeline/contract/decision.ts'
import { loadTls } from '../../src/proxy/tls.ts'
import type { TlsSource } from '../../src/proxy/tls.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { okResponse, startRecorder } from '../support/recorder.ts'
import type { Recorder } from '../support/recorder.ts'
import { allow, refuse, secure, startProxy, targetOf } from './harness.ts'
import type { Harness } from './harness.ts'

let upstream: Recorder
let folder: string

const get = 'GET / HTTP/1.1\r\nHost: gw.example\r\n\r\n'

beforeAll(async () => {
  upstream = await startRecorder()
  folder = mkdtempSync(join(tmpdir(), 'proxy-server-'))
})
afterEach(() => upstream.reset())
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true })
})

const start = (options: Parameters<typeof startProxy>[2] = {}): Promise<Harness> =>
  startProxy(() => allow(targetOf(upstream.origin)), secure, options)

/** Makes a self-signed certificate for a name. */
function certificate(name: string): TlsSource & { readonly cert: { path: string }; readonly key: { path: string } } {
  const key = join(folder, `${name}.key`)
  const cert = join(folder, `${name}.crt`)
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { cert: { path: cert }, key: { path: key } }
}

describe('bytes that are no request', () => {
  it.each([
    ['nonsense', 'hello\r\n\r\n', 400],
    ['TLS', '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003', 400],
    ['a head without end', `GET / HTTP/1.1\r\nHost: gw.example\r\nX: ${'a'.repeat(20_000)}`, 431],
  ])('%s is answered in JSON and the connection closed', async (_name, bytes, status) => {
    const proxy = await start()
    const client = await openClient(proxy.port)
    client.write(bytes)
    const response = await client.response()
    expect(response.status).toBe(status)
    expect(JSON.parse(response.body.toString())).toMatchObject({ error: { code: status } })
    expect(await client.closed).toBe('end')
    expect(proxy.records).toMatchObject([{ method: '', status, outcome: 'refused', remoteAddress: '127.0.0.1' }])
    await proxy.close()
  })

  it('after a request do not spoil its answer', async () => {
    const proxy = await start()
    let answer: () => void = () => undefined
    upstream.respond = (_, socket) => {
      answer = () => void socket.write(okResponse)
      return undefined
    }
    const client = await openClient(proxy.port)
    client.write(`${get}nonsense\r\n\r\n`)
    await upstream.arrived(1)
    answer()
    expect((await client.response()).status).toBe(200)
    expect((await client.response()).status).toBe(400)
    expect(await client.closed).toBe('end')
    await proxy.close()
  })

  it('in the body of a second request do not spoil the answer to the first', async () => {
    const proxy = await start()
    let answer: () => void = () => undefined
    upstream.respond = ({ method }, socket) => {
      if (method === 'GET') answer = () => void socket.write(okResponse)
      return undefined
    }
    const client = await openClient(proxy.port)
    client.write(`${get}POST / HTTP/1.1\r\nHost: gw.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n`)
    await upstream.arrived(1)
    await expect.poll(() => proxy.records.length).toBe(1)
    answer()
    expect((await client.response()).status).toBe(200)
    expect((await client.response()).status).toBe(400)
    expect(await client.closed).toBe('end')
    expect(upstream.requests).toHaveLength(1)
    await proxy.close()
  })

  it('in the middle of a body end it: the upstream never sees a whole request', async () => {
    const proxy = await start()
    const client = await openClient(proxy.port)
    client.write('POST / HTTP/1.1\r\nHost: gw.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    await expect.poll(() => upstream.bytes()).toContain('abc')
    client.write('xyz\r\n')
    expect((await client.response()).status).toBe(400)
    expect(await client.closed).toBe('end')
    expect(upstream.requests).toEqual([])
    expect(await proxy.recorded(1)).toMatchObject({ code: 'request_invalid', status: 400 })
    await proxy.close()
  })
})

describe('pipelined requests', () => {
  it('are each decided and answered in order', async () => {
    const proxy = await start()
    upstream.respond = ({ target }) => `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`
    const client = await openClient(proxy.port)
    client.write(['/1', '/22', '/333'].map((path) => get.replace('/ ', `${path} `)).join(''))
    for (const path of ['/1', '/22', '/333']) expect((await client.response()).body.toString()).toBe(path)
    expect(proxy.inbounds.map(({ path }) => path)).toEqual(['/1', '/22', '/333'])
    client.close()
    await proxy.close()
  })

  it.each([
    ['the connection', ''],
    ['a handshake', 'GET / HTTP/1.1\r\nHost: gw.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['nonsense', 'nonsense\r\n\r\n'],
  ])('of which one breaks off behind another do not spoil it, and end %s', async (_name, rest) => {
    const proxy = await start()
    let answer: () => void = () => undefined
    upstream.respond = ({ target }, socket) => {
      if (target === '/first') answer = () => void socket.write(okResponse)
      else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nbegun')
      return undefined
    }
    const client = await openClient(proxy.port)
    client.write(get.replace('/', '/first') + get.replace('/', '/second') + rest)
    await expect.poll(() => proxy.records.map(({ code }) => code)).toContain('upstream_broken')
    answer()
    expect((await client.response()).body.toString()).toBe('ok')
    expect(await client.closed).toBe('end')
    expect(client.rest()).toHaveLength(0)
    await proxy.close()
  })
})

describe('a client that asks and asks, and reads nothing,', () => {
  /** Resolves when the connection was broken off. */
  const askOn = (port: number, ask: string): Promise<unknown> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1').pause()
      socket.on('error', resolve)
      const goOn = (): void => void socket.write(ask, (error) => (error == null ? goOn() : undefined))
      goOn()
    })
  const timeouts = { ...secure.timeouts, write: 300 }
  const broken = { code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as string }

  it('is cut off, also when it is the gateway that answers', async () => {
    const body = 'x'.repeat(100_000)
    const refused = {
      ...refuse(new GatewayError('credentials_invalid')),
      answer: { status: 401, headers: [], body },
    } as Decision
    const proxy = await startProxy(() => refused, { ...secure, timeouts })
    expect(await askOn(proxy.port, get.repeat(20))).toMatchObject(broken)
    await proxy.close()
  })

  it('is cut off, also when the answers of upstreams wait for one another', async () => {
    const body = 'x'.repeat(100_000)
    upstream.respond = () => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    const proxy = await startProxy(() => allow(targetOf(upstream.origin)), { ...secure, timeouts })
    expect(await askOn(proxy.port, get.repeat(20))).toMatchObject(broken)
    await proxy.close()
  })
})

it.each([
  ['while it waits for it', secure.timeouts.idle, true],
  ['on a connection that may be idle for ever', 0, false],
])('an answer that says nothing for long is not cut off by the one before it, %s', async (_name, idle, pipelined) => {
  let answer: () => void = () => undefined
  upstream.respond = (_, socket) => {
    answer = () => void socket.write(okResponse)
    return undefined
  }
  const timeouts = { ...secure.timeouts, write: 1000, idle }
  const large = { status: 401, headers: [], body: 'x'.repeat(4_000_000) }
  const proxy = await startProxy(
    ({ path }) =>
      path === '/large'
        ? ({ ...refuse(new GatewayError('credentials_invalid')), answer: large } as Decision)
        : allow(targetOf(upstream.origin)),
    { ...secure, timeouts },
  )
  const client = await openClient(proxy.port)
  client.write(get.replace('/', '/large') + (pipelined ? get : ''))
  expect((await client.response()).body).toHaveLength(4_000_000)
  if (!pipelined) client.write(get)
  const later = performance.now() + 1500
  await expect.poll(() => performance.now(), { timeout: 10_000 }).toBeGreaterThan(later)
  answer()
  expect((await client.response()).body.toString()).toBe('ok')
  client.close()
  await proxy.close()
})

describe.each(['TCP', 'TLS'])('an answer to HTTP/1.0 over %s', (carrier) => {
  it.each([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'],
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ])('%s that breaks off does not look whole', async (_how, part) => {
    const tls = carrier === 'TLS'
    const proxy = await start(tls ? { tls: certificate('old.example') } : {})
    upstream.respond = (_request, socket) => {
      socket.write(part)
      setImmediate(() => socket.destroy())
      return undefined
    }
    const client = await openClient(proxy.port, { tls })
    client.write('GET / HTTP/1.0\r\nHost: gw.example\r\n\r\n')
    expect(await client.closed).toBe('reset')
    upstream.respond = () => okResponse
    const next = await openClient(proxy.port, { tls })
    next.write(get)
    expect((await next.response()).status).toBe(200)
    next.close()
    await proxy.close()
  })
})

describe('closing', () => {
  it('lets a request finish, tells the client, and then accepts nothing', async () => {
    const proxy = await start()
    let answer: () => void = () => undefined
    upstream.respond = (_, socket) => {
      answer = () => void socket.write(okResponse)
      return undefined
    }
    const idle = await openClient(proxy.port)
    const busy = await openClient(proxy.port)
    busy.write(get)
    await upstream.arrived(1)
    const closed = proxy.server.close(10_000)
    expect(await idle.closed).toBe('end')
    answer()
    const response = await busy.response()
    expect(response.status).toBe(200)
    expect(response.header('connection')).toBe('close')
    await closed
    await expect(openClient(proxy.port)).rejects.toThrow('ECONNREFUSED')
  })

  it('ends a connection whose answer had begun before', async () => {
    const proxy = await start()
    let more: () => void = () => undefined
    upstream.respond = (_, socket) => {
      more = () => void socket.write('c')
      return 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab'
    }
    const client = await openClient(proxy.port)
    client.write(get)
    await expect.poll(() => client.rest().toString()).toContain('ab')
    const closed = proxy.server.close(10_000)
    more()
    expect((await client.response()).body.toString()).toBe('abc')
    expect(await client.closed).toBe('end')
    await closed
  })

  it('cuts off what is not done in time', async () => {
    const proxy = await start()
    upstream.respond = () => undefined
    const client = await openClient(proxy.port)
    client.write(get)
    await upstream.arrived(1)
    await proxy.server.close(50)
    await client.closed
    expect(await proxy.recorded(1)).toMatchObject({ status: 499 })
  })
})

it('closing does not wait for TLS handshakes that never end', async () => {
  const proxy = await start({ tls: certificate('handshake.example') })
  const client = await openClient(proxy.port)
  client.write(Buffer.from([0x16, 0x03, 0x01]))
  // Whoever came later has been accepted later.
  await expect(fetch(`https://127.0.0.1:${proxy.port}/`)).rejects.toThrow('fetch failed')
  await proxy.server.close(50)
  await client.closed
})

it('an address that is taken is an error', async () => {
  const proxy = await start()
  const other = await start()
  await other.server.close(0)
  await expect(other.server.listen(proxy.port, '127.0.0.1')).rejects.toThrow('EADDRINUSE')
  await proxy.close()
})

describe('TLS', () => {
  it('is https for the rules, and takes new files while it runs', async () => {
    const first = certificate('one.example')
    const second = certificate('two.example')
    const proxy = await start({ tls: first })
    const name = async (): Promise<string | undefined> => {
      const client = await openClient(proxy.port, { tls: true })
      const { CN } = (client.socket as TLSSocket).getPeerCertificate().subject
      client.write(get)
      expect((await client.response()).status).toBe(200)
      client.close()
      return typeof CN === 'string' ? CN : undefined
    }
    expect(await name()).toBe('one.example')
    expect(proxy.inbounds[0]?.scheme).toBe('https')
    expect(upstream.requests[0]?.all('x-forwarded-proto')).toEqual(['https'])

    // Half a change does not fit together and changes nothing.
    renameSync(second.cert.path, first.cert.path)
    await expect.poll(() => proxy.logged.map(({ level }) => level), { timeout: 10_000 }).toContain('warn')
    expect(await name()).toBe('one.example')
    renameSync(second.key.path, first.key.path)
    await expect.poll(name, { timeout: 10_000 }).toBe('two.example')
    expect(JSON.stringify(proxy.logged)).not.toContain('PRIVATE')
    await proxy.close()
  })

  it('may be written into the configuration', () => {
    const files = certificate('three.example')
    const base64 = (path: string): { base64: string } => ({ base64: readFileSync(path).toString('base64') })
    expect(loadTls({ cert: base64(files.cert.path), key: base64(files.key.path) }).cert.toString()).toContain(
      'BEGIN CERT',
    )
  })

  it('that cannot work is an error at the start, and shows no key', async () => {
    const first = certificate('four.example')
    const second = certificate('five.example')
    await expect(start({ tls: { cert: first.cert, key: second.key } })).rejects.toThrow(/key/i)
    await expect(start({ tls: { cert: { path: join(folder, 'none') }, key: first.key } })).rejects.toThrow('none')
    writeFileSync(join(folder, 'bad'), 'no PEM')
    await expect(start({ tls: { cert: { path: join(folder, 'bad') }, key: first.key } })).rejects.toThrow(/PEM/)
  })

  it('to an upstream is verified, and its name is the upstream’s, whatever Host the client sent', async () => {
    const files = certificate('six.example')
    const names: (string | false | null)[] = []
    const server = createTlsServer(
      { cert: readFileSync(files.cert.path), key: readFileSync(files.key.path) },
      (_request, response) => void response.end('ok'),
    )
    server.on('tlsClientError', () => undefined)
    server.on('connection', () => names.push(null))
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const { port } = server.address() as AddressInfo
    const proxy = await startProxy(() => allow(targetOf(`https://127.0.0.1:${port}`, { preserveHost: true })))
    // Nobody has signed the certificate.
    expect((await sendRaw(proxy.port, get)).status).toBe(502)
    expect(names).toHaveLength(1)
    expect((await proxy.recorded(1)).reason).toMatch(/self.signed/i)
    await proxy.close()
    server.close()
  })
})
