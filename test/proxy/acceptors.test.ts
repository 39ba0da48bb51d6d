/** Listening sockets that share a port: a crowd is taken in few turns of the event loop, and all else is as with one. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createAcceptors, type AcceptorOptions } from '../../src/proxy/acceptors.ts'
import { openClient } from '../support/raw-client.ts'

// Elsewhere one socket takes all.
const isLinux = process.platform === 'linux'

/** A listening HTTP server that answers at once. */
async function arrange(options: AcceptorOptions = {}) {
  const server = createServer((_request, response) => void response.end('here'))
  let accepted = 0
  let open = 0
  server.on('connection', (socket: Socket) => {
    accepted++
    open++
    socket.on('close', () => open--)
  })
  const acceptors = createAcceptors(server, options)
  const { port } = await acceptors.listen(0, '127.0.0.1')
  await acceptors.joined
  const clients: Socket[] = []
  return {
    port,
    accepted: () => accepted,
    open: () => open,
    crowd(size: number) {
      for (let i = 0; i < size; i++) clients.push(connect(port, '127.0.0.1').on('error', () => undefined))
      return clients
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy()
      const closed = once(server, 'close')
      server.close()
      await Promise.all([closed, acceptors.close()])
    },
  }
}

it.runIf(isLinux)('a crowd that comes at once is not taken one by one', async () => {
  await using test = await arrange()
  const size = 400
  test.crowd(size)
  let turns = 0
  for (; test.accepted() < size; turns++) await turn()
  // One by one it would be as many turns as clients.
  expect(turns).toBeLessThan(size / 3)
})

it.runIf(isLinux)('all of them have one limit of connections', async () => {
  await using test = await arrange({ maxConnections: 20 })
  const clients = test.crowd(100)
  await expect.poll(() => clients.filter(({ destroyed }) => destroyed).length).toBe(80)
  expect(test.accepted()).toBe(20)
  for (const client of clients) client.destroy()
  await expect.poll(test.open).toBe(0)
  const again = await openClient(test.port)
  again.write('GET / HTTP/1.1\r\nHost: gw.example\r\n\r\n')
  expect((await again.response()).body.toString()).toBe('here')
  again.close()
})

it('a port that somebody else has is told, although ports are shared', async () => {
  await using test = await arrange()
  const other = createAcceptors(createServer(), {})
  await expect(other.listen(test.port, '127.0.0.1')).rejects.toThrow(expect.objectContaining({ code: 'EADDRINUSE' }))
})

it('the port is free again when they are closed', async () => {
  const first = await arrange()
  const { port } = first
  await first[Symbol.asyncDispose]()
  const server = createServer()
  const acceptors = createAcceptors(server, {})
  expect((await acceptors.listen(port, '127.0.0.1')).port).toBe(port)
  server.close()
  await acceptors.close()
})

it('one that is closed while it opens leaves nothing behind that listens', async () => {
  const { port } = await arrange().then(async (test) => {
    await test[Symbol.asyncDispose]()
    return test
  })
  const server = createServer()
  const acceptors = createAcceptors(server, {})
  const opening = acceptors.listen(port, '127.0.0.1').then(
    () => 'open',
    () => 'closed',
  )
  await acceptors.close()
  expect(await opening).toBe('closed')
  const client = connect(port, '127.0.0.1')
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})

it('one that is closed while others join it leaves nothing behind that listens', async () => {
  const server = createServer()
  const acceptors = createAcceptors(server, {})
  const { port } = await acceptors.listen(0, '127.0.0.1')
  server.close()
  await acceptors.close()
  await acceptors.joined
  const client = connect(port, '127.0.0.1')
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
})
