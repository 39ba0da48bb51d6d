/** HTTP/2 in exact bytes, for what no client library would send (RFC 9113). */
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'

export const types = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const flags = { none: 0, endStream: 1, endHeaders: 4 } as const

export interface H2Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function h2Frame(type: number, flag: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flag
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Header lines as literals without indexing and without Huffman (RFC 7541 section 6.2.2). */
export function headerBlock(lines: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1')
    if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
    const length: number[] = [127]
    let rest = bytes.length - 127
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128)
    return Buffer.concat([Buffer.from([...length, rest]), bytes])
  }
  return Buffer.concat(lines.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

export const request = (
  rest: readonly (readonly [string, string])[] = [],
  pseudo: Readonly<Record<string, string>> = {},
): readonly (readonly [string, string])[] => [
  ...Object.entries({ ':method': 'GET', ':scheme': 'https', ':authority': 'gw.example', ':path': '/', ...pseudo }),
  ...rest,
]

export interface H2Client {
  readonly socket: TLSSocket
  write(...frames: readonly Buffer[]): void
  /** Resolves with all frames so far once `test` holds for one of them; rejects when the connection ends before. */
  until(test: (frame: H2Frame) => boolean): Promise<H2Frame>
  /** Code of the last GOAWAY before the connection ended; undefined when there was none. */
  readonly closed: Promise<number | undefined>
  close(): void
}

/** Opens a connection to 127.0.0.1 and says the preface, without waiting for anything. */
export async function openH2(port: number): Promise<H2Client> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
  const frames: H2Frame[] = []
  const waiting = new Set<() => void>()
  let ended = false
  let rest: Buffer = Buffer.alloc(0)
  const wake = (): void => {
    for (const check of waiting) check()
  }
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3)
      frames.push({
        type: rest[3]!,
        flags: rest[4]!,
        stream: rest.readUInt32BE(5),
        payload: rest.subarray(9, 9 + length),
      })
      rest = rest.subarray(9 + length)
    }
    wake()
  })
  socket.on('error', () => undefined)
  const closed = new Promise<number | undefined>((resolve) => {
    socket.on('close', () => {
      ended = true
      wake()
      resolve(frames.findLast(({ type }) => type === types.goAway)?.payload.readUInt32BE(4))
    })
  })
  await new Promise((resolve) => {
    socket.once('secureConnect', resolve)
  })
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(Buffer.concat([preface, h2Frame(types.settings, 0, 0)]))
  return {
    socket,
    closed,
    write: (...written) => void socket.write(Buffer.concat(written)),
    until: (test) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = frames.find((each) => test(each))
          if (found === undefined && !ended) return
          waiting.delete(check)
          if (found === undefined) reject(new Error('the connection ended'))
          else resolve(found)
        }
        waiting.add(check)
        check()
      }),
    close: () => void socket.destroy(),
  }
}
