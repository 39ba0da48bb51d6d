/** An upstream that keeps the exact bytes of every request and answers with exact bytes. */
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { parseChunked, parseLines } from './raw-client.ts'

export interface RecordedRequest {
  readonly method: string
  /** The request target as it came. */
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** The head as it came, latin-1. */
  readonly head: string
  /** Which connection it came on, counted from 1. */
  readonly connection: number
  /** Every value of a header. */
  all(name: string): string[]
}

/** Bytes to answer with; undefined when the function deals with the socket by itself. */
export type Respond = (request: RecordedRequest, socket: Socket) => string | Buffer | undefined

export interface Recorder {
  readonly port: number
  /** `http://127.0.0.1:port`. */
  readonly origin: string
  readonly requests: readonly RecordedRequest[]
  /** All bytes of all connections, in the order of the connections. */
  bytes(): string
  /** Connections that are open now. */
  open(): number
  /** Connections ever opened. */
  connections(): number
  respond: Respond
  /** Resolves when the n-th request has come. */
  arrived(n: number): Promise<RecordedRequest>
  reset(): void
  close(): Promise<void>
}

export const okResponse = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Starts a recorder on a free port of 127.0.0.1. */
export async function startRecorder(respond: Respond = () => okResponse): Promise<Recorder> {
  let requests: RecordedRequest[] = []
  let streams: Buffer[][] = []
  let count = 0
  const sockets = new Set<Socket>()
  const waiting = new Set<() => void>()

  const server = createServer((socket) => {
    sockets.add(socket)
    const connection = ++count
    const stream: Buffer[] = []
    streams.push(stream)
    let pending: Buffer = Buffer.alloc(0)
    let upgraded = false
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      stream.push(chunk)
      if (upgraded) return
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        const parsed = parseRequest(pending, connection)
        if (parsed === undefined) return
        pending = pending.subarray(parsed.length)
        requests.push(parsed.request)
        if (parsed.request.all('upgrade').length > 0) upgraded = true
        const answer = recorder.respond(parsed.request, socket)
        if (answer !== undefined && socket.writable) socket.write(answer, 'latin1')
        for (const check of waiting) check()
      }
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  const recorder: Recorder = {
    port,
    origin: `http://127.0.0.1:${port}`,
    get requests() {
      return requests
    },
    bytes: () => streams.map((stream) => Buffer.concat(stream).toString('latin1')).join(''),
    open: () => sockets.size,
    connections: () => count,
    respond,
    arrived: (n) =>
      new Promise((resolve) => {
        const check = (): void => {
          const request = requests[n - 1]
          if (request === undefined) return
          waiting.delete(check)
          resolve(request)
        }
        waiting.add(check)
        check()
      }),
    reset: () => {
      requests = []
      streams = []
      recorder.respond = respond
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
  return recorder
}

export interface Bare {
  readonly origin: string
  close(): Promise<void>
}

/** A TCP server that does with each connection what it is told. */
export async function startBare(serve: (socket: Socket) => void): Promise<Bare> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    serve(socket)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

function parseRequest(bytes: Buffer, connection: number): { request: RecordedRequest; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end + 4)
  const [first = '', ...lines] = head.slice(0, -4).split('\r\n')
  const [method = '', target = ''] = first.split(' ')
  const headers = parseLines(lines)
  const all = (name: string): string[] =>
    headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  const made = (body: Buffer, length: number): { request: RecordedRequest; length: number } => ({
    request: { method, target, headers, body, head, connection, all },
    length,
  })
  const start = end + 4
  if (all('transfer-encoding').length > 0) {
    const chunked = parseChunked(bytes, start)
    return chunked === undefined ? undefined : made(chunked.body, chunked.end)
  }
  const whole = start + Number(all('content-length')[0] ?? 0)
  return bytes.length < whole ? undefined : made(bytes.subarray(start, whole), whole)
}
