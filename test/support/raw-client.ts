/** Speaks HTTP/1.1 in exact bytes: what is written goes out as it is, what comes back is read by a strict, small parser. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface RawResponse {
  readonly status: number
  readonly reason: string
  /** In order and spelling of the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** Trailer section of a chunked body. */
  readonly trailers: readonly (readonly [name: string, value: string])[]
  /** The value of the first such header. */
  header(name: string): string | undefined
}

export interface RawClient {
  readonly socket: Socket
  write(bytes: string | Buffer): void
  /**
   * The next response, interim ones included. Rejects when the connection ends before it is whole; with `head` it is
   * taken to have no body, as after HEAD.
   */
  response(options?: { readonly head?: boolean }): Promise<RawResponse>
  /** Resolves once `test` holds for all bytes not yet taken. */
  until(test: (bytes: Buffer) => boolean): Promise<Buffer>
  /** How the connection ended. */
  readonly closed: Promise<'end' | 'reset'>
  /** Bytes that have come and were not taken. */
  rest(): Buffer
  close(): void
}

/** Opens a connection to 127.0.0.1. */
export async function openClient(port: number, options: { readonly tls?: boolean } = {}): Promise<RawClient> {
  const socket =
    options.tls === true
      ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'gw.example' })
      : connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let received: Buffer = Buffer.alloc(0)
  let ended = false
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const check of waiting) check()
  }
  let failed = false
  const closed = new Promise<'end' | 'reset'>((resolve) => {
    socket.on('close', () => resolve(failed ? 'reset' : 'end'))
  })
  socket.on('error', () => {
    failed = true
  })
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  const finish = (): void => {
    ended = true
    wake()
  }
  socket.on('end', finish)
  socket.on('end', () => socket.end())
  socket.on('close', finish)

  const take = <T>(attempt: (bytes: Buffer, atEnd: boolean) => { value: T; length: number } | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const result = attempt(received, ended)
        if (result !== undefined) {
          waiting.delete(check)
          received = received.subarray(result.length)
          resolve(result.value)
        } else if (ended) {
          waiting.delete(check)
          reject(new Error(`connection ended early after ${JSON.stringify(received.toString('latin1'))}`))
        }
      }
      waiting.add(check)
      check()
    })

  await new Promise<void>((resolve, reject) => {
    socket.once(options.tls === true ? 'secureConnect' : 'connect', resolve)
    socket.once('error', reject)
  })
  return {
    socket,
    closed,
    write: (bytes) => void socket.write(bytes, 'latin1'),
    response: ({ head = false } = {}) => take((bytes, atEnd) => parseResponse(bytes, head, atEnd)),
    until: (test) => take((bytes) => (test(bytes) ? { value: bytes, length: bytes.length } : undefined)),
    rest: () => received,
    close: () => void socket.destroy(),
  }
}

/** Sends bytes on a connection of their own and takes the first final response. */
export async function sendRaw(
  port: number,
  bytes: string | Buffer,
  options: { readonly head?: boolean; readonly halfClose?: boolean } = {},
): Promise<RawResponse> {
  const client = await openClient(port)
  try {
    client.write(bytes)
    if (options.halfClose === true) client.socket.end()
    let response = await client.response(options)
    while (response.status < 200 && response.status !== 101) response = await client.response(options)
    return response
  } finally {
    client.close()
  }
}

type Lines = (readonly [name: string, value: string])[]

function parseResponse(
  bytes: Buffer,
  head: boolean,
  atEnd: boolean,
): { value: RawResponse; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [first = '', ...rest] = bytes.toString('latin1', 0, end).split('\r\n')
  const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(first)
  if (match === null) throw new Error(`no status line: ${JSON.stringify(first)}`)
  const status = Number(match[1])
  const headers = parseLines(rest)
  const header = (name: string): string | undefined =>
    headers.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]
  const made = (body: Buffer, length: number, trailers: Lines = []): { value: RawResponse; length: number } => ({
    value: { status, reason: match[2] ?? '', headers, body, trailers, header },
    length,
  })
  const start = end + 4
  if (head || status < 200 || status === 204 || status === 304) return made(Buffer.alloc(0), start)
  if (header('transfer-encoding')?.toLowerCase() === 'chunked') {
    const chunked = parseChunked(bytes, start)
    return chunked === undefined ? undefined : made(chunked.body, chunked.end, chunked.trailers)
  }
  const length = header('content-length')
  if (length === undefined) return atEnd ? made(bytes.subarray(start), bytes.length) : undefined
  const whole = start + Number(length)
  return bytes.length < whole ? undefined : made(bytes.subarray(start, whole), whole)
}

/** A chunked body from `at` on (RFC 9112 section 7.1); undefined while it is not whole. */
export function parseChunked(bytes: Buffer, at: number): { body: Buffer; end: number; trailers: Lines } | undefined {
  const parts: Buffer[] = []
  for (let position = at; ;) {
    const lineEnd = bytes.indexOf('\r\n', position)
    if (lineEnd === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', position, lineEnd), 16)
    position = lineEnd + 2
    if (size === 0) {
      const trailerEnd = bytes.indexOf('\r\n', position)
      if (trailerEnd === position) return { body: Buffer.concat(parts), end: position + 2, trailers: [] }
      const end = bytes.indexOf('\r\n\r\n', position)
      if (end === -1) return undefined
      const trailers = parseLines(bytes.toString('latin1', position, end).split('\r\n'))
      return { body: Buffer.concat(parts), end: end + 4, trailers }
    }
    if (bytes.length < position + size + 2) return undefined
    parts.push(bytes.subarray(position, position + size))
    position += size + 2
  }
}

/** Header lines as pairs. */
export function parseLines(lines: readonly string[]): Lines {
  return lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
}
