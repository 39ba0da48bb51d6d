import { describe, expect, it } from 'vitest'
import { createApiServer } from '../../src/api/server.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'

const timeouts = { read: 5000, idle: 5000 }
const get = 'GET / HTTP/1.1\r\nHost: api\r\n\r\n'

/** A server whose answers wait until they are let go. */
function heldServer() {
  const { promise: held, resolve: release } = Promise.withResolvers<Response>()
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const server = createApiServer({
    timeouts,
    fetch: () => {
      ask()
      return held
    },
  })
  return { server, asked, release: () => release(new Response('late')) }
}

describe('the API server', () => {
  it('finishes what is under way when it closes', async () => {
    const { server, asked, release } = heldServer()
    const { port } = await server.listen(0, '127.0.0.1')
    const client = await openClient(port)
    client.write(get)
    await asked
    const closed = server.close(60_000)
    await expect(openClient(port)).rejects.toThrow('ECONNREFUSED')
    release()
    expect((await client.response()).body.toString()).toBe('late')
    client.close()
    await closed
  })

  it('cuts off what does not end in time', async () => {
    const { server, asked } = heldServer()
    const { port } = await server.listen(0, '127.0.0.1')
    const client = await openClient(port)
    client.write(get)
    await asked
    await server.close(0)
    await client.closed
    expect(client.rest().toString()).toBe('')
  })

  it('says that a port is taken', async () => {
    const first = createApiServer({ timeouts, fetch: () => new Response() })
    const second = createApiServer({ timeouts, fetch: () => new Response() })
    const { port } = await first.listen(0, '127.0.0.1')
    await expect(second.listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await Promise.all([first.close(0), second.close(0)])
  })

  it('answers what is no request with 400, and every upgrade', async () => {
    const server = createApiServer({ timeouts, fetch: () => new Response('ok') })
    const { port } = await server.listen(0, '127.0.0.1')
    const refused = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')
    expect(refused.status).toBe(400)
    expect(JSON.parse(refused.body.toString())).toMatchObject({ error: { code: 400 } })
    for (const protocol of ['websocket', 'h2c', 'nonsense']) {
      const upgrade = `GET / HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`
      expect((await sendRaw(port, upgrade)).status).toBe(200)
    }
    await server.close(0)
  })
})
