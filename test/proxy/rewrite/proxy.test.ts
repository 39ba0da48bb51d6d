/** `upstream.rewrite` of a rule, on the wire. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ruleOf } from '../../pipeline/scenario.ts'
import { type ListeningGateway, startGateway } from '../../support/gateway.ts'
import { openClient } from '../../support/raw-client.ts'
import { type Recorder, startRecorder } from '../../support/recorder.ts'

const on = { enabled: true }
let upstream: Recorder
let gateway: ListeningGateway

beforeAll(async () => {
  upstream = await startRecorder()
  const rewrite = { urls: [{ from: upstream.origin, to: '/below' }], bodies: true, cookies: {} }
  gateway = await startGateway({
    config: {
      profile: 'secure',
      authenticators: { anonymous: on },
      authorizers: { allow: on },
      mutators: { noop: on },
    },
    rules: [{ ...ruleOf({}), upstream: { url: upstream.origin, rewrite } }],
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream.close()
})
beforeEach(() => upstream.reset())

const body = (): string => `{"action":"${upstream.origin}/login"}`
const rewritten = (): string => `{"action":"${gateway.proxy}/below/login"}`

describe('a body', () => {
  it('is rewritten, and what described its bytes is gone', async () => {
    upstream.respond = () =>
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-MD5: x\r\nETag: "1"\r\nContent-Length: ${body().length}\r\n\r\n${body()}`
    const response = await fetch(gateway.proxy)
    expect(await response.text()).toBe(rewritten())
    expect(['content-length', 'content-md5', 'etag'].map((name) => response.headers.get(name))).toEqual([
      null,
      null,
      '"1"',
    ])
    expect(upstream.requests[0]!.all('accept-encoding')).toEqual(['identity'])
    const head = await fetch(gateway.proxy, { method: 'HEAD' })
    expect(head.headers.get('content-length')).toBeNull()
  })

  it('streams: what is decided goes out before the rest has come', async () => {
    let finish = (): void => undefined
    upstream.respond = (_request, socket) => {
      const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n`)
      socket.write(chunk(`data: ${upstream.origin}/a\n\n`) + chunk(`data: ${upstream.origin.slice(0, 12)}`))
      finish = () => void socket.write(`${chunk(`${upstream.origin.slice(12)}/b\n\n`)}0\r\n\r\n`)
      return undefined
    }
    const client = await openClient(gateway.addresses.proxy.port)
    client.write(`GET / HTTP/1.1\r\nHost: ${new URL(gateway.proxy).host}\r\n\r\n`)
    const soon = await client.until((bytes) => bytes.includes(`data: ${gateway.proxy}/below/a\n\n`))
    expect(soon.includes('/b\n')).toBe(false)
    finish()
    const late = await client.until((bytes) => bytes.includes('0\r\n\r\n'))
    expect(late.includes(`${gateway.proxy}/below/b\n\n`)).toBe(true)
    client.close()
  })

  it.each([
    ['that is compressed', '200 OK', 'Content-Type: application/json\r\nContent-Encoding: br'],
    ['that is a part', '206 Partial Content', 'Content-Type: application/json\r\nContent-Range: bytes 0-9/100'],
    ['that is no text', '200 OK', 'Content-Type: image/png'],
  ])('%s passes as it is', async (_name, status, lines) => {
    upstream.respond = () => `HTTP/1.1 ${status}\r\n${lines}\r\nContent-Length: ${body().length}\r\n\r\n${body()}`
    const client = await openClient(gateway.addresses.proxy.port)
    client.write(`GET / HTTP/1.1\r\nHost: ${new URL(gateway.proxy).host}\r\n\r\n`)
    const response = await client.response()
    expect(response.header('content-length')).toBe(String(body().length))
    expect(response.body.toString()).toBe(body())
    client.close()
  })
})

describe('headers', () => {
  it('lead to the gateway, and cookies are its own', async () => {
    upstream.respond = () =>
      `HTTP/1.1 302 Found\r\nLocation: ${upstream.origin}/x?y\r\nSet-Cookie: a=1; Domain=internal; Secure\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n`
    const { headers } = await fetch(gateway.proxy, { redirect: 'manual' })
    expect(headers.get('location')).toBe(`${gateway.proxy}/below/x?y`)
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })
})

it.each([
  { urls: [{ from: 'ftp://x/', to: '/' }] },
  { urls: [{ from: 'http://x/?q', to: '/' }] },
  { urls: [{ from: 'http://x/', to: '//evil.example' }] },
  { urls: [{ from: 'http://x/' }] },
  { cookies: { secure: 'never' } },
  { body: true },
])('makes a rule invalid: %j', async (rewrite) => {
  await using test = await startGateway({
    config: { authenticators: { anonymous: on }, authorizers: { allow: on }, mutators: { noop: on } },
    rules: [{ ...ruleOf({}), upstream: { url: upstream.origin, rewrite } }],
  })
  expect(test.gateway.problems.map(({ severity }) => severity)).toEqual(['error'])
})
