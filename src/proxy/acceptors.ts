/**
 * Several listening sockets on one port. Of each, node takes one connection in a turn of its event loop (libuv's
 * `uv__server_io`), and under load a turn lasts as long as all that is ready in it: with one socket, a thousand clients that
 * come back at once would wait for seconds behind those who are already there.
 */
import cluster from 'node:cluster'
import { isIP, Server, type AddressInfo, type ListenOptions, type ServerOpts, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/** Connections that wait to be taken from one socket, as far as the system allows (`net.core.somaxconn`). */
const backlog = 4096

export interface AcceptorOptions {
  /** How many connections are taken in one turn, where ports can be shared; 32 unless given. */
  readonly perTurn?: number
  /** Open connections; more are dropped. No limit unless given. */
  readonly maxConnections?: number
  /** How the server makes its own sockets. */
  readonly sockets?: ServerOpts
}

export interface Acceptors {
  /**
   * Resolves with the bound address as soon as the server listens; the others follow. Rejects with node's error, such as
   * EADDRINUSE. An empty host means all interfaces.
   */
  listen(port: number, host: string): Promise<AddressInfo>
  /** Resolves when the others listen, too, as far as they can. */
  readonly joined: Promise<void>
  /** Stops accepting; resolves when all connections that the others took are closed. The server is the caller's to close. */
  close(): Promise<void>
}

/** `server` listens, and gets the connections that the others take. */
export function createAcceptors(server: Server, options: AcceptorOptions): Acceptors {
  const { perTurn = 32, maxConnections, sockets } = options
  const others: Server[] = []
  let isClosed = false
  let joined = Promise.resolve()
  let held = 0
  let taken = 0
  // Of its own connections node counts those that it took itself.
  const count = (change: number): void => {
    taken += change
    if (maxConnections !== undefined) server.maxConnections = Math.max(0, maxConnections - taken)
  }
  count(0)
  server.on('connection', (socket: Socket) => {
    held++
    socket.once('close', () => held--)
  })

  const pass = (socket: Socket): void => {
    if (held >= (maxConnections ?? Infinity)) {
      socket.destroy()
      return
    }
    count(1)
    socket.once('close', () => count(-1))
    server.emit('connection', socket)
  }

  /** Resolves with the bound address, unless they were closed meanwhile. */
  const open = async (listener: Server, place: ListenOptions): Promise<AddressInfo> => {
    const address = await listening(listener, place)
    if (!isClosed) return address
    listener.close()
    throw new Error('the listener was closed before it was open')
  }

  const add = async (place: ListenOptions): Promise<void> => {
    const other = new Server({ ...sockets }, pass)
    others.push(other)
    await open(other, place)
    other.on('error', (error) => server.emit('error', error))
  }

  /** One in a turn: nobody's first answer has to wait for them. */
  const join = async (place: ListenOptions): Promise<void> => {
    try {
      for (let i = 1; i < perTurn; i++) {
        await turn()
        if (isClosed) return
        await add(place)
      }
    } catch (error) {
      // Fewer serve as well, only not as many at once.
      if (!isClosed && server.listenerCount('error') > 0) server.emit('error', error)
    }
  }

  const close = async (): Promise<void> => {
    isClosed = true
    await Promise.all(others.map((other) => new Promise((resolve) => other.close(resolve))))
  }

  return {
    async listen(port, host) {
      const place: ListenOptions = { port, backlog, ...(host !== '' && { host }) }
      if (!sharesPorts || perTurn === 1) return open(server, place)
      // Ports that are shared may be taken by several: that somebody else is there shows only without sharing.
      const found = port === 0 ? undefined : await tryOut(place)
      const shared: ListenOptions = { ...place, ...addressOf(host, found), reusePort: true }
      const address = await open(server, shared).catch((error: NodeJS.ErrnoException) => {
        if (!cannotShare.has(error.code)) throw error
        return undefined
      })
      if (address === undefined) return open(server, place)
      joined = join({ ...shared, ...addressOf(host, address), port: address.port })
      return address
    },
    get joined() {
      return joined
    },
    close,
  }
}

/** Elsewhere the last one takes all. Workers get what their primary has taken, which has nothing else to do. */
const sharesPorts = process.platform === 'linux' && cluster.isPrimary

/** What systems say that are Linux in all but this. */
const cannotShare: ReadonlySet<string | undefined> = new Set([
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOPROTOOPT',
  'EINVAL',
  'ENOSYS',
])

function listening(server: Server, place: ListenOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(place, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

async function tryOut(place: ListenOptions): Promise<AddressInfo> {
  const server = new Server((early) => early.destroy())
  const address = await listening(server, place)
  await new Promise((resolve) => server.close(resolve))
  return address
}

/** A name may have several addresses, and only one is listened at. */
const addressOf = (host: string, found: AddressInfo | undefined): ListenOptions =>
  found === undefined || isIP(host) !== 0 ? {} : { host: found.address }
