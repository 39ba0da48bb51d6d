/** A server that both programs ask; it keeps what arrived, exactly, until it is asked for. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Arrived {
  readonly service: string
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** What it was answered with. */
  readonly status: number
}

export interface ServiceAnswer {
  readonly status: number
  /** Lists are sent as several lines. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body: string
}

export type Answer = (request: Omit<Arrived, 'status'>) => ServiceAnswer

export interface RecordingServer extends AsyncDisposable {
  readonly origin: string
}

/** Listens on a free port of loopback; `arrived` hears of each request when it is answered. */
export async function startRecordingServer(
  service: string,
  answer: Answer,
  arrived: (request: Arrived) => void,
): Promise<RecordingServer> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => undefined)
    request.on('end', () => {
      const raw = request.rawHeaders
      const seen = {
        service,
        method: request.method ?? '',
        target: request.url ?? '',
        headers: Array.from(
          { length: raw.length / 2 },
          (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? ''] as const,
        ),
        body: Buffer.concat(chunks).toString('latin1'),
      }
      const { status, headers = {}, body } = answer(seen)
      arrived({ ...seen, status })
      response.sendDate = false
      const bodiless = status === 204 || status === 304
      response.writeHead(status, {
        ...headers,
        ...(!bodiless && { 'content-length': Buffer.byteLength(body) }),
      } as never)
      response.end(bodiless ? undefined : body)
    })
  })
  // What node's parser refuses was sent all the same.
  server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
    const body = error.rawPacket?.toString('latin1') ?? ''
    if (body !== '') arrived({ service, method: 'unreadable', target: '', headers: [], body, status: 400 })
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
  })
  // A connection that ends between two requests would make the next one fail in either program.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The value of the first such header; empty when there is none. */
export function headerOf({ headers }: Pick<Arrived, 'headers'>, name: string): string {
  return headers.find(([other]) => other.toLowerCase() === name)?.[1] ?? ''
}
