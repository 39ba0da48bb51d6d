import { expect, it } from 'vitest'
import { openClient } from '../support/raw-client.ts'
import { startRecorder } from '../support/recorder.ts'
import { allow, startProxy, targetOf } from './harness.ts'

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
