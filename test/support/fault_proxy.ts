/** A TCP proxy that does to connections what networks do. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type Fault =
  | { readonly kind: 'none' }
  /** Holds back what the target answers. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** Ends connections with RST when a request comes. */
  | { readonly kind: 'reset' }
  /** Lets through so many bytes of an answer (negative: all but so many) and ends the connection. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** Takes what is sent and says nothing. */
  | { readonly kind: 'black hole' }
  /** Answers in the target's place. */
  | { readonly kind: 'answer'; readonly status: string; readonly body: string }

export interface FaultProxy extends AsyncDisposable {
  readonly url: string
  /** Holds from the next bytes on, for connections that are open, too. */
  fault: Fault
}

/** Between a client and a server on the loopback interface; use it with `await using`. */
export async function startFaultProxy(targetUrl: string): Promise<FaultProxy> {
  const { port: targetPort } = new URL(targetUrl)
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  const proxy = { fault: { kind: 'none' } as Fault }
  const track = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }

  const toClient = (client: Socket, bytes: Buffer): void => {
    const { fault } = proxy
    if (fault.kind === 'truncate') client.end(bytes.subarray(0, fault.bytes))
    else if (fault.kind === 'delay') {
      const timer = setTimeout(() => {
        timers.delete(timer)
        client.write(bytes)
      }, fault.milliseconds)
      timers.add(timer)
    } else client.write(bytes)
  }

  const server = createServer((client) => {
    track(client)
    const target = connect({ port: Number(targetPort), host: '127.0.0.1' })
    track(target)
    client.on('close', () => target.destroy())
    target.on('close', () => client.end())
    target.on('data', (bytes) => toClient(client, bytes))
    client.on('data', (bytes) => {
      const { fault } = proxy
      if (fault.kind === 'reset') client.resetAndDestroy()
      else if (fault.kind === 'answer') {
        client.write(`HTTP/1.1 ${fault.status}\r\nContent-Length: ${fault.body.length}\r\n\r\n${fault.body}`)
      } else if (fault.kind !== 'black hole') target.write(bytes)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  })
}
