import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { startRecorder, type Recorder } from '../support/recorder.ts'
import { allow, refuse, secure, startProxy, targetOf, type Harness } from './harness.ts'

const LIMIT = 100_000
let upstream: Recorder
let proxy: Harness
/** What the pipeline read of each request. */
let read: (string | undefined)[] = []

beforeAll(async () => {
  upstream = await startRecorder()
  proxy = await startProxy(
    async (inbound: Inbound) => {
      try {
        const bytes = await inbound.readBody?.(LIMIT)
        read.push(bytes && Buffer.from(bytes).toString())
        return inbound.path === '/refused'
          ? refuse(new GatewayError('access_denied'))
          : allow(targetOf(upstream.origin))
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        read.push(error.code)
        return refuse(error)
      }
    },
    { ...secure, timeouts: { ...secure.timeouts, read: 150 } },
  )
})
afterEach(() => {
  read = []
  upstream.reset()
  proxy.reset()
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

const withLength = (body: string, path = '/', more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: gw.example\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`

const chunked = (...chunks: string[]): string =>
  `POST / HTTP/1.1\r\nHost: gw.example\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`

describe('a body that the pipeline reads', () => {
  it.each([
    ['of known length', withLength('hello'), 'hello'],
    ['in chunks', chunked('hel', 'lo'), 'hello'],
    ['too large to be taken in one piece', withLength('x'.repeat(90_000)), 'x'.repeat(90_000)],
    ['as long as is allowed', chunked('y'.repeat(LIMIT)), 'y'.repeat(LIMIT)],
  ])('reaches the upstream as well: %s', async (_, bytes, body) => {
    expect((await sendRaw(proxy.port, bytes)).status).toBe(200)
    expect(read).toEqual([body])
    expect(upstream.requests.map((request) => request.body.toString())).toEqual([body])
  })

  it('is not there when the request has none', async () => {
    expect((await sendRaw(proxy.port, 'GET / HTTP/1.1\r\nHost: gw.example\r\n\r\n')).status).toBe(200)
    expect((await sendRaw(proxy.port, withLength(''))).status).toBe(200)
    expect(read).toEqual([undefined, undefined])
  })

  it('is asked for when the client waits to be', async () => {
    const client = await openClient(proxy.port)
    client.write('POST / HTTP/1.1\r\nHost: gw.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n')
    expect((await client.response()).status).toBe(100)
    client.write('hello')
    expect((await client.response()).status).toBe(200)
    expect(upstream.requests[0]!.body.toString()).toBe('hello')
    client.socket.destroy()
  })

  it('is refused when it says that it is too long, without any of it being read', async () => {
    const client = await openClient(proxy.port)
    client.write(`POST / HTTP/1.1\r\nHost: gw.example\r\nContent-Length: ${LIMIT + 1}\r\n\r\n`)
    expect((await client.response()).status).toBe(413)
    client.socket.destroy()
    expect(proxy.records).toMatchObject([{ outcome: 'refused', code: 'body_too_large', status: 413 }])
  })

  it('is refused when it turns out to be too long, and the client can send it to its end', async () => {
    const client = await openClient(proxy.port)
    client.write(chunked('x'.repeat(LIMIT), 'x'))
    expect((await client.response()).status).toBe(413)
    client.write(withLength('again'))
    expect((await client.response()).status).toBe(200)
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual(['again'])
    client.socket.destroy()
  })

  it('is refused when it stops coming', async () => {
    const client = await openClient(proxy.port)
    client.write('POST / HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 5\r\n\r\nhe')
    expect((await client.response()).status).toBe(408)
    client.socket.destroy()
    expect(upstream.requests).toEqual([])
  })

  it('stays within its request on a connection that is kept', async () => {
    const client = await openClient(proxy.port)
    client.write(withLength('one', '/refused') + withLength('two') + withLength('three'))
    expect([
      (await client.response()).status,
      (await client.response()).status,
      (await client.response()).status,
    ]).toEqual([403, 200, 200])
    expect(read).toEqual(['one', 'two', 'three'])
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual(['two', 'three'])
    client.socket.destroy()
  })

  it('is given up when the client goes away', async () => {
    const client = await openClient(proxy.port)
    client.write('POST / HTTP/1.1\r\nHost: gw.example\r\nContent-Length: 5\r\n\r\nhe')
    client.socket.resetAndDestroy()
    expect(await proxy.recorded(1)).toMatchObject({ status: 499, code: 'client_closed_request' })
    await expect.poll(() => read).toEqual(['client_closed_request'])
    expect(upstream.requests).toEqual([])
  })
})
