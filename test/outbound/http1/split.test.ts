/** In what pieces an answer comes says nothing: neither what it is, nor whether it is refused. */
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ExchangeError } from '../../../src/outbound/http1/errors.ts'
import { ResponseReader } from '../../../src/outbound/http1/response_reader.ts'
import { corpus } from './corpus.ts'
import { ask, poolTo, type ScriptedServer, startScripted } from './support.ts'

/** What a reader tells of an answer whose connection ends after it. */
function readIn(parts: readonly string[], method: string): unknown {
  const seen = { heads: [] as unknown[], body: '', trailers: [] as readonly string[], isWhole: false, used: 0 }
  const reader = new ResponseReader({
    information: (head) => seen.heads.push(head),
    head: (head) => seen.heads.push(head),
    data: (bytes) => {
      seen.body += bytes.toString('latin1')
    },
    end: (trailers) => {
      seen.isWhole = true
      seen.trailers = [...trailers]
    },
    upgraded: () => expect.unreachable('nobody has asked for another protocol'),
  })
  reader.begin(method, false)
  try {
    for (const piece of parts) seen.used += reader.read(Buffer.from(piece, 'latin1'))
    reader.finish()
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error
  }
  return seen.isWhole ? seen : 'refused'
}

function pieces(text: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length]
  return places.slice(1).map((end, i) => text.slice(places[i], end))
}

const answer = fc.constantFrom(...corpus)

describe('a reader', () => {
  it.each(corpus.filter(({ bytes }) => bytes.length < 2000))(
    'reads byte by byte: $name',
    ({ bytes, method = 'GET' }) => {
      expect(readIn(Array.from(bytes), method)).toEqual(readIn([bytes], method))
    },
  )

  it('reads in any pieces', () => {
    fc.assert(
      fc.property(answer, fc.array(fc.nat(), { maxLength: 8 }), ({ bytes, method = 'GET' }, cuts) => {
        expect(readIn(pieces(bytes, cuts), method)).toEqual(readIn([bytes], method))
      }),
      { numRuns: 3000 },
    )
  })

  it('reads a head of the largest size in any pieces, and no larger one', () => {
    const largest = corpus.find(({ name }) => name.endsWith('as large as may be'))!.bytes
    const larger = corpus.find(({ name }) => name.endsWith('one byte more'))!.bytes
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 4 }), (cuts) => {
        expect(readIn(pieces(largest, cuts), 'GET')).toMatchObject({ body: 'hi', isWhole: true })
        expect(readIn(pieces(larger, cuts), 'GET')).toBe('refused')
      }),
    )
  })

  it.each([
    ['a head', 'HTTP/1.1 200 OK\nX: y\n\n'],
    ['a head with one', 'HTTP/1.1 200 OK\r\nX: y\n'],
    ['trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n'],
    ['a trailer', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ])('does not wait for the end of %s that it would never see', (_what, bytes) => {
    const nothing = (): void => undefined
    const sink = { information: nothing, head: nothing, data: nothing, end: nothing, upgraded: nothing }
    for (const cuts of [[], [bytes.length - 1], Array.from({ length: bytes.length }, (_, i) => i)]) {
      const reader = new ResponseReader(sink)
      reader.begin('GET', false)
      const read = (): void => {
        for (const piece of pieces(bytes, cuts)) reader.read(Buffer.from(piece, 'latin1'))
      }
      expect(read).toThrow(expect.objectContaining({ code: 'RESPONSE_MALFORMED' }))
    }
  })
})

describe('a connection', () => {
  let server: ScriptedServer
  beforeAll(async () => {
    server = await startScripted()
  })
  afterAll(() => server.close())

  async function through(segments: readonly string[], method: string): Promise<unknown> {
    server.scripts.set('it', { segments, after: 'end' })
    const pool = poolTo(server.origin)
    const { error, ...outcome } = await ask(pool, { path: '/it', method }).outcome
    await pool.close(true)
    return error === undefined ? outcome : 'refused'
  }

  it('reads in any segments', async () => {
    const small = fc.constantFrom(...corpus.filter(({ bytes }) => bytes.length < 400))
    await fc.assert(
      fc.asyncProperty(small, fc.array(fc.nat(), { maxLength: 8 }), async ({ bytes, method = 'GET' }, cuts) => {
        expect(await through(pieces(bytes, cuts), method)).toEqual(await through([bytes], method))
      }),
      { numRuns: 200 },
    )
  })
})
