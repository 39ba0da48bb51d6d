/**
 * The load: a process of its own that keeps a number of connections busy, one request at a time on each, for a while.
 * Understands just what it needs: answers of one status with Content-Length. Started by `startLoadClient`.
 */
import { connect, type Socket } from 'node:net'
import { createHistogram } from 'node:perf_hooks'
import { afterCookie, cookieDigits } from './answers.ts'

export interface Load {
  readonly port: number
  /** The head of one request. */
  readonly head: string
  /** Bytes of its body. */
  readonly bodySize?: number
  readonly connections: number
  readonly milliseconds: number
  /** Whether each request gets a cookie that none before it had. */
  readonly newCookies?: boolean
}

export interface LoadResult {
  readonly requests: number
  /** Answers with another status than 200, and connections that broke. */
  readonly failures: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const headEnd = '\r\n\r\n'
const contentLength = /\r\ncontent-length: (\d+)\r\n/i

let cookies = 0
const nextCookie = (): string => String(++cookies).padStart(cookieDigits, '0')

/** Runs one load; never rejects, as failures are counted. */
export const runLoad = ({
  port,
  head: requestHead,
  bodySize = 0,
  connections,
  milliseconds,
  newCookies = false,
}: Load): Promise<LoadResult> => {
  const histogram = createHistogram({ lowest: 1, highest: 60_000_000_000, figures: 3 })
  const start = performance.now()
  const deadline = start + milliseconds
  const sockets = new Set<Socket>()
  const shared = Buffer.from(requestHead + 'x'.repeat(bodySize), 'latin1')
  const cookieAt = requestHead.length - afterCookie.length - cookieDigits
  let requests = 0
  let failures = 0

  return new Promise((resolve) => {
    const finish = (): void => {
      const seconds = (performance.now() - start) / 1000
      const quantile = (percent: number): number => (requests === 0 ? Number.NaN : histogram.percentile(percent) / 1e6)
      resolve({ requests, failures, seconds, p50: quantile(50), p99: quantile(99) })
    }

    const open = (): void => {
      // One buffer per connection, reused for every read: the client must cost less than what it measures.
      const buffer = Buffer.allocUnsafe(64 * 1024)
      const bytes = newCookies ? Buffer.from(shared) : shared
      let sentAt = 0
      let head = ''
      let missing = 0
      const socket: Socket = connect({
        port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer,
          callback(size) {
            read(size)
            return true
          },
        },
      })
      const send = (): void => {
        sentAt = performance.now()
        if (newCookies) bytes.write(nextCookie(), cookieAt, 'latin1')
        socket.write(bytes)
      }
      const done = (): void => {
        const now = performance.now()
        requests += 1
        histogram.record(Math.max(1, Math.round((now - sentAt) * 1e6)))
        if (now < deadline) send()
        else socket.destroy()
      }
      const read = (size: number): void => {
        if (missing > 0) {
          missing -= size
          if (missing === 0) done()
          return
        }
        head += buffer.toString('latin1', 0, size)
        const end = head.indexOf(headEnd)
        if (end < 0) return
        const received = head.length - end - headEnd.length
        const length = Number(contentLength.exec(head)?.[1] ?? Number.NaN)
        const fine = head.startsWith('HTTP/1.1 200 ') && received <= length
        head = ''
        if (!fine) {
          socket.destroy()
          return
        }
        missing = length - received
        if (missing === 0) done()
      }
      socket.on('connect', send)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        if (performance.now() < deadline) {
          failures += 1
          // Not at once: an upstream that is gone would be hammered.
          setTimeout(open, 10)
        } else if (sockets.size === 0) {
          finish()
        }
      })
      sockets.add(socket)
    }
    for (let index = 0; index < connections; index++) open()
    // Whoever has not got an answer by then is not waited for.
    setTimeout(() => sockets.forEach((socket) => socket.destroy()), milliseconds + 2000).unref()
  })
}

if (process.send !== undefined) {
  process.on('message', (load: Load) => {
    void runLoad(load).then((result) => process.send?.(result))
  })
}
