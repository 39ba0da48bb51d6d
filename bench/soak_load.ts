/** A load at a fixed rate over connections that are kept, as a data server's clients have them; counts every answer. */
import { connect, type Socket } from 'node:net'

export interface SoakLoad {
  readonly port: number
  readonly connections: number
  /** How many users there are. */
  readonly users: number
}

export interface Tally {
  readonly requests: number
  /** What went wrong, and how often. */
  readonly failures: ReadonlyMap<string, number>
}

export interface SoakClient {
  readonly tally: Tally
  /** Requests per second from now on; Infinity for as many as there are answers. */
  rate: number
  stop(): void
}

const head = /^HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n/
const lengthLine = /\r\ncontent-length: (\d+)\r\n/i
const closeLine = /\r\nconnection: close\r\n/i

export const startSoakClient = ({ port, connections, users }: SoakLoad): SoakClient => {
  let requests = 0
  const failures = new Map<string, number>()
  let stopped = false
  /** When the next request is due; all connections share it. */
  let due = performance.now()
  const fail = (why: string): void => void failures.set(why, (failures.get(why) ?? 0) + 1)
  const client: SoakClient = {
    tally: {
      get requests() {
        return requests
      },
      failures,
    },
    rate: Infinity,
    stop() {
      stopped = true
    },
  }

  const open = (): void => {
    let waiting = false
    let text = ''
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const send = (): void => {
      if (stopped) {
        socket.end()
        return
      }
      const now = performance.now()
      due = Math.max(due + 1000 / client.rate, now - 100)
      if (due > now) {
        setTimeout(ask, due - now)
        return
      }
      ask()
    }
    const ask = (): void => {
      if (socket.destroyed) return
      waiting = true
      const user = Math.floor(Math.random() * users)
      socket.write(`GET /data HTTP/1.1\r\nHost: soak.example\r\nCookie: ory_kratos_session=user${user}\r\n\r\n`)
    }
    socket.setEncoding('latin1')
    socket.on('connect', send)
    socket.on('data', (chunk: string) => {
      text += chunk
      const found = head.exec(text)
      if (found === null) return
      const end = found[0].length + Number(lengthLine.exec(found[0])?.[1] ?? 0)
      if (text.length < end) return
      requests += 1
      if (found[1] !== '200') fail(`status ${found[1]}: ${text.slice(found[0].length, end)}`)
      const last = closeLine.test(found[0])
      text = ''
      waiting = false
      if (last) socket.end()
      else send()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (waiting) fail('connection ended without an answer')
      if (!stopped) setTimeout(open, waiting ? 50 : 0)
    })
  }
  for (let n = 0; n < connections; n += 1) open()
  return client
}
