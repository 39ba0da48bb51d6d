import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, it } from 'vitest'
import { folder } from '../cli/run.ts'
import { createAuthority } from '../support/certificates.ts'
import { fill, plenty } from '../support/fill.ts'
import { openClient } from '../support/raw-client.ts'
import { startBare, startRecorder } from '../support/recorder.ts'
import { allow, secure, startProxy, targetOf } from './harness.ts'

it('a client that ends its side behind its request counts as gone, and so does its request', async () => {
  const upstream = await startRecorder()
  const proxy = await startProxy(() => allow(targetOf(upstream.origin)))
  const gone = new Promise<void>((resolve) => {
    upstream.respond = (_, socket) => void socket.on('close', () => resolve())
  })
  const client = await openClient(proxy.port)
  client.write('GET / HTTP/1.1\r\nHost: gw.example\r\n\r\n')
  await upstream.arrived(1)
  client.socket.end()
  await gone
  expect(await proxy.recorded(1)).toMatchObject({ status: 499, code: 'client_closed_request' })
  expect(await client.closed).toBe('end')
  expect(client.rest()).toHaveLength(0)
  await proxy.close()
  await upstream.close()
})

it.each([
  ['TCP', false],
  ['TLS', true],
])('a client that resets an upload over %s, of which the upstream takes nothing, is noticed', async (_, speaksTls) => {
  using files = folder()
  const { cert, key } = createAuthority(files.path)
  const tls = speaksTls ? { tls: { cert: { path: cert }, key: { path: key } } } : {}
  const reached: Socket[] = []
  const upstream = await startBare((socket) => void reached.push(socket.pause()))
  const proxy = await startProxy(() => allow(targetOf(upstream.origin)), secure, tls)
  const carrier = connect(proxy.port, '127.0.0.1').on('error', () => undefined)
  const client = speaksTls ? connectTls({ socket: carrier, rejectUnauthorized: false }) : carrier
  client.on('error', () => undefined)
  await once(client, speaksTls ? 'secureConnect' : 'connect')
  client.write(`POST / HTTP/1.1\r\nHost: gw.example\r\nContent-Length: ${4 * plenty}\r\n\r\n`)
  expect(await fill(client)).toBeLessThan(plenty)
  expect(proxy.records).toHaveLength(0)
  carrier.resetAndDestroy()
  expect(await proxy.recorded(1)).toMatchObject({ status: 499, code: 'client_closed_request' })
  // What it did not take is gone with the connection.
  const [socket] = reached
  await once(socket!.resume(), 'close')
  await proxy.close()
  await upstream.close()
})
