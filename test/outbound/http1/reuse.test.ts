/** A connection carries another request exactly when nobody can mistake what comes for another answer. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BodyWriter, RequestBody } from '../../../src/outbound/http1/body_sender.ts'
import { corpus } from './corpus.ts'
import { ask, poolTo, type Script, type ScriptedServer, startScripted } from './support.ts'

let server: ScriptedServer
beforeAll(async () => {
  server = await startScripted()
  server.scripts.set('next', { segments: ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext'], after: 'open' })
})
afterAll(() => server.close())

/** A turn of the event loop: what the pool does about a connection that has become free, it has done. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const ok = 'HTTP/1.1 200 OK\r\n'
const sized = `${ok}Content-Length: 2\r\n\r\nhi`

interface Case {
  readonly what: string
  readonly answer: string
  readonly method?: string
  readonly isUsedAgain: boolean
}

const cases: readonly Case[] = [
  { what: 'a length', answer: sized, isUsedAgain: true },
  { what: 'a length of nothing', answer: `${ok}Content-Length: 0\r\n\r\n`, isUsedAgain: true },
  { what: 'chunks', answer: `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`, isUsedAgain: true },
  {
    what: 'chunks and trailers',
    answer: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n`,
    isUsedAgain: true,
  },
  { what: 'a status without body', answer: 'HTTP/1.1 204 No Content\r\n\r\n', isUsedAgain: true },
  { what: 'no news', answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n', isUsedAgain: true },
  { what: 'the head alone', method: 'HEAD', answer: `${ok}Content-Length: 2\r\n\r\n`, isUsedAgain: true },
  { what: 'an interim response', answer: `HTTP/1.1 103 Hints\r\n\r\n${sized}`, isUsedAgain: true },
  { what: 'keep-alive', answer: `${ok}Connection: keep-alive\r\nContent-Length: 0\r\n\r\n`, isUsedAgain: true },
  { what: 'another option', answer: `${ok}Connection: x-trace\r\nContent-Length: 0\r\n\r\n`, isUsedAgain: true },
  { what: 'a long hint', answer: `${ok}Keep-Alive: timeout=60\r\nContent-Length: 0\r\n\r\n`, isUsedAgain: true },
  {
    what: 'keep-alive of old',
    answer: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n',
    isUsedAgain: true,
  },
  { what: 'nothing of old', answer: 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', isUsedAgain: false },
  { what: 'close', answer: `${ok}Connection: close\r\nContent-Length: 0\r\n\r\n`, isUsedAgain: false },
  { what: 'Close', answer: `${ok}Connection: Close\r\nContent-Length: 0\r\n\r\n`, isUsedAgain: false },
  {
    what: 'close in a list',
    answer: `${ok}Connection: keep-alive , close\r\nContent-Length: 0\r\n\r\n`,
    isUsedAgain: false,
  },
  {
    what: 'close, and keep-alive in another line',
    answer: `${ok}Connection: close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n`,
    isUsedAgain: false,
  },
  {
    what: 'keep-alive, and close in another line',
    answer: `${ok}Connection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    isUsedAgain: false,
  },
  {
    what: 'a hint that the time is over',
    answer: `${ok}Keep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n`,
    isUsedAgain: false,
  },
  { what: 'more than the length', answer: `${sized}more`, isUsedAgain: false },
  { what: 'a second answer', answer: sized + sized, isUsedAgain: false },
  { what: 'more than the chunks', answer: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n`, isUsedAgain: false },
  { what: 'a body of the head', method: 'HEAD', answer: sized, isUsedAgain: false },
  {
    what: 'a body of no content',
    answer: 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi',
    isUsedAgain: false,
  },
  { what: 'a body of no news', answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nhi', isUsedAgain: false },
]

describe('a connection after an answer', () => {
  it.each(cases)('with $what: $isUsedAgain', async ({ answer, method = 'GET', isUsedAgain }) => {
    server.scripts.set('first', { segments: [answer], after: 'open' })
    const before = server.accepted()
    const pool = poolTo(server.origin)
    const first = await ask(pool, { path: '/first', method }).outcome
    const next = await ask(pool, { path: '/next' }).outcome
    expect([first.error, next.body]).toEqual([undefined, 'next'])
    expect(server.accepted() - before).toBe(isUsedAgain ? 1 : 2)
    await pool.close(true)
  })

  it('is given up when more comes while nobody asks', async () => {
    server.scripts.set('first', { segments: [sized, 'HTTP/1.1 200 OK\r\n'], after: 'open' })
    const pool = poolTo(server.origin)
    const first = ask(pool, { path: '/first' })
    await first.outcome
    await once(first.connection!.socket, 'close')
    expect(pool.isUnused).toBe(true)
    await pool.close(true)
  })

  it('never gives one request what belongs to another', async () => {
    const after = fc.constantFrom<Script['after']>('end', 'reset')
    const answer = fc.constantFrom(...corpus.filter(({ bytes }) => bytes.length < 2000))
    const more = fc.constantFrom('', '', 'x', '\r\n', sized, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil')
    const run = async ({ bytes, method = 'GET' }: (typeof corpus)[number], behind: string, end: Script['after']) => {
      server.scripts.set('first', { segments: [bytes + behind], after: end })
      const pool = poolTo(server.origin)
      const first = ask(pool, { path: '/first', method })
      const rest = Array.from({ length: 3 }, () => ask(pool, { path: '/next', method: 'POST' }))
      for (const { outcome } of rest) {
        const { error, reused, body } = await outcome
        // The server may hang up just when the connection is used again; nothing else goes wrong.
        expect(error === undefined ? [body] : [reused, body, first.ends]).toEqual(
          error === undefined ? ['next'] : [true, '', 1],
        )
      }
      await pool.close(true)
      expect([first.ends, ...rest.map(({ ends }) => ends)]).toEqual([1, 1, 1, 1])
    }
    await fc.assert(fc.asyncProperty(answer, more, after, run), { numRuns: 300 })
  })
})

/** A body of which nothing comes but what a test writes. */
class Upload implements RequestBody {
  readonly framing: RequestBody['framing']
  out: BodyWriter | undefined
  isStopped = false

  constructor(framing: RequestBody['framing']) {
    this.framing = framing
  }

  start(out: BodyWriter): void {
    this.out = out
    out.write(Buffer.from('begin'))
  }

  resume(): void {
    // There is always room.
  }

  stop(): void {
    this.isStopped = true
  }
}

describe('an answer that comes before the request has been sent', () => {
  it.each([10, 'chunked'] as const)('ends the connection and the body (%s)', async (framing) => {
    server.scripts.set('early', { segments: [sized], after: 'open', early: true })
    const pool = poolTo(server.origin)
    const body = new Upload(framing)
    const asked = ask(pool, { path: '/early', method: 'POST', body })
    expect(await asked.outcome).toMatchObject({ status: 200, body: 'hi', error: undefined })
    await turn()
    expect([body.isStopped, asked.connection!.socket.destroyed, pool.isUnused]).toEqual([true, true, true])
    // Whoever still writes is heard by nobody.
    body.out!.write(Buffer.from('late'))
    body.out!.end()
    expect(asked.ends).toBe(1)
    await pool.close(true)
  })

  it('goes on while the body does', async () => {
    const echo = createServer((socket: Socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'))
      socket.on('data', (data: Buffer) => {
        if (data.toString().endsWith('0\r\n\r\n')) socket.write('4\r\nback\r\n0\r\n\r\n')
      })
    })
    echo.listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const pool = poolTo(`http://127.0.0.1:${(echo.address() as AddressInfo).port}`)
    const body = new Upload('chunked')
    const asked = ask(pool, { path: '/echo', method: 'POST', body })
    asked.onHead = () => {
      body.out!.write(Buffer.from('more'))
      body.out!.end()
    }
    expect(await asked.outcome).toMatchObject({ status: 200, body: 'back', error: undefined })
    expect(asked.connection!.isFree).toBe(true)
    await pool.close(true)
    echo.close()
  })
})
