/** What goes out is one request, and exactly the one that was given. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createRawServer, type AddressInfo } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BodyWriter, RequestBody } from '../../../src/outbound/http1/body_sender.ts'
import { requestHead, type HeadOptions } from '../../../src/outbound/http1/request_head.ts'
import type { OriginPool } from '../../../src/outbound/origin_pool.ts'
import { ask, poolTo } from './support.ts'

interface Seen {
  readonly method: string
  readonly path: string
  readonly fields: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
}

const TOKEN = "!#$%&'*+-.^_`|~09AZaz"
const token = fc.string({ unit: fc.constantFrom(...Array.from(TOKEN)), minLength: 1, maxLength: 12 })
const text = fc
  .string({
    unit: fc.constantFrom(...Array.from('aZ09 \t!"#%&\'()*,-./:;<=>?@[\\]^_`{|}~\x80\xe9\xff')),
    maxLength: 20,
  })
  // What surrounds a value is no part of it.
  .map((value) => value.replace(/^[ \t]+|[ \t]+$/g, ''))
const path = fc
  .string({ unit: fc.constantFrom(...Array.from("aZ09!$&'()*+,-./:;=?@_~%")), maxLength: 20 })
  .map((rest) => `/${rest}`)
const framingNames =
  /^(?:connection|content-length|transfer-encoding|upgrade|keep-alive|expect|te|trailer|host|proxy-connection)$/i
const field = fc.tuple(token, text).filter(([name]) => !framingNames.test(name))
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND')

/** The fields of a head, read as strictly as can be; throws for anything that is not exactly one request. */
function strictly(head: string): { method: string; path: string; fields: string[] } {
  expect(head.endsWith('\r\n\r\n')).toBe(true)
  expect(head.indexOf('\r\n\r\n')).toBe(head.length - 4)
  const [first, ...lines] = head.slice(0, -4).split('\r\n')
  const [, verb, target] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\/[!-~\x80-\xff]*) HTTP\/1\.1$/.exec(first!)!
  const fields = lines.flatMap((line) => {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\t\x20-\x7e\x80-\xff]*)$/.exec(line)!
    return [name!, value!]
  })
  return { method: verb!, path: target!, fields }
}

const valuesOf = (fields: readonly string[], lower: string): string[] =>
  fields.filter((_value, i) => i % 2 === 1 && fields[i - 1]!.toLowerCase() === lower)

const options: HeadOptions = { host: 'host.example', framing: 'none', connection: 'keep-alive' }

describe('a head', () => {
  it('says what was given, and how the message is framed once', () => {
    const framing = fc.oneof(fc.nat(), fc.constantFrom('chunked' as const, 'none' as const))
    const connection = fc.constantFrom('keep-alive' as const, 'close' as const, 'websocket' as const)
    const reserved = fc.constantFrom(
      ['Connection', 'x'],
      ['content-length', '7'],
      ['Transfer-Encoding', 'gzip'],
      ['upgrade', 'h2c'],
      ['KEEP-ALIVE', 'timeout=1'],
      ['Expect', '100-continue'],
      ['TE', 'trailers'],
    ) as fc.Arbitrary<[string, string]>
    const all = fc.array(fc.oneof({ weight: 4, arbitrary: field }, { weight: 1, arbitrary: reserved }), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(method, path, all, framing, connection, (verb, target, list, how, what) => {
        const head = requestHead(
          { method: verb, path: target, headers: list.flat() },
          { ...options, framing: how, connection: what },
        )
        const seen = strictly(head)
        expect([seen.method, seen.path]).toEqual([verb, target])
        const own = list.filter(([name]) => !framingNames.test(name)).flat()
        expect(seen.fields.slice(0, 2 + own.length)).toEqual(['host', 'host.example', ...own])
        expect(valuesOf(seen.fields, 'connection')).toEqual([what === 'websocket' ? 'upgrade' : what])
        expect(valuesOf(seen.fields, 'upgrade')).toEqual(what === 'websocket' ? ['websocket'] : [])
        expect(valuesOf(seen.fields, 'transfer-encoding')).toEqual(how === 'chunked' ? ['chunked'] : [])
        const says = verb.startsWith('P') ? ['0'] : []
        const length = how === 'none' ? says : how === 'chunked' ? [] : [String(how)]
        expect(valuesOf(seen.fields, 'content-length')).toEqual(length)
        for (const name of ['keep-alive', 'expect', 'te']) expect(valuesOf(seen.fields, name)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('begins with the Host that was given, which is one', () => {
    const head = requestHead({ method: 'GET', path: '/', headers: ['a', '1', 'HOST', 'other', 'b', '2'] }, options)
    expect(strictly(head).fields).toEqual(['HOST', 'other', 'a', '1', 'b', '2', 'connection', 'keep-alive'])
    const twice = { method: 'GET', path: '/', headers: ['host', 'a', 'Host', 'a'] }
    expect(() => requestHead(twice, options)).toThrow('a second Host header cannot be sent')
  })

  it('is refused with a character that has no place there', () => {
    const beyond = fc.integer({ min: 0x100, max: 0xffff }).map((code) => String.fromCharCode(code))
    const control = fc
      .integer({ min: 0, max: 0x1f })
      .filter((code) => code !== 9)
      .map((code) => String.fromCharCode(code))
    const dangerous = fc.oneof(beyond, fc.constantFrom('\r', '\n', '\r\n', '\0', '\u010a', '\u010d', '\u0120'))
    // In a value, other control characters end nothing.
    const spoiling = fc.oneof(
      fc.tuple(fc.constantFrom('value', 'host'), dangerous),
      fc.tuple(fc.constantFrom('method', 'path', 'name'), fc.oneof(dangerous, control, fc.constant('\x7f'))),
    )
    fc.assert(
      fc.property(
        spoiling,
        fc.nat(),
        fc.tuple(method, path, token, text),
        ([place, wrong], at, [verb, target, name, value]) => {
          const spoiled = (given: string, kind: string): string => {
            const cut = at % (given.length + 1)
            return kind === place ? given.slice(0, cut) + wrong + given.slice(cut) : given
          }
          const headers = [spoiled(name, 'name'), spoiled(value, 'value'), 'host', spoiled('a.example', 'host')]
          const request = { method: spoiled(verb, 'method'), path: spoiled(target, 'path'), headers }
          expect(() => requestHead(request, options)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }))
        },
      ),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['a method of nothing', { method: '' }],
    ['a method with a space', { method: 'GET /' }],
    ['CONNECT, whose answer is no message', { method: 'CONNECT' }],
    ['a path of nothing', { path: '' }],
    ['a whole URL as path', { path: 'http://a.example/' }],
    ['an asterisk as path', { path: '*' }],
    ['a path with a space', { path: '/a b' }],
    ['a path with a tab', { path: '/a\tb' }],
    ['a name of nothing', { headers: ['', 'a'] }],
    ['a name with a colon', { headers: ['a:b', 'c'] }],
    ['a name with a space', { headers: ['a ', 'c'] }],
    ['a name above ASCII', { headers: ['\xe9', 'c'] }],
    ['a name without value', { headers: ['a'] }],
  ])('is refused with %s', (_what, rest) => {
    expect(() => requestHead({ method: 'GET', path: '/', headers: [], ...rest }, options)).toThrow('cannot be sent')
  })
})

/** A body in given pieces. */
const bodyOf = (
  framing: RequestBody['framing'],
  pieces: readonly string[],
  trailers: readonly [string, string][] = [],
): RequestBody & { stops: number } => ({
  framing,
  stops: 0,
  start(out: BodyWriter): void {
    for (const piece of pieces) out.write(Buffer.from(piece, 'latin1'))
    out.end(trailers)
  },
  resume: () => undefined,
  stop(): void {
    this.stops++
  },
})

describe('a server', () => {
  const seen: Seen[] = []
  const server = createServer({ joinDuplicateHeaders: false }, (request: IncomingMessage, response) => {
    let body = ''
    request.setEncoding('latin1').on('data', (data: string) => (body += data))
    request.on('end', () => {
      const { method: verb = '', url = '', rawHeaders, rawTrailers } = request
      seen.push({ method: verb, path: url, fields: rawHeaders, body, trailers: rawTrailers })
      response.end('yes')
    })
  })
  let pool: OriginPool
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    pool = poolTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
  afterAll(async () => {
    await pool.close(true)
    server.close()
  })

  it('sees one request for each, exactly as given', async () => {
    const binary = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '\0', '\xff', '0'), maxLength: 40 })
    const pieces = fc.array(binary, { maxLength: 4 })
    const kind = fc.constantFrom('none', 'whole', 'counted', 'chunked')
    const trailers = fc.array(field, { maxLength: 3 })
    const run = async (
      verb: string,
      target: string,
      list: [string, string][],
      how: string,
      parts: string[],
      last: [string, string][],
    ): Promise<void> => {
      seen.length = 0
      const body = parts.join('')
      const sent = {
        none: undefined,
        whole: Buffer.from(body, 'latin1'),
        counted: bodyOf(body.length, parts),
        chunked: bodyOf('chunked', parts, last),
      }[how]
      const { outcome } = ask(pool, { method: verb, path: target, headers: list.flat(), body: sent })
      expect(await outcome).toMatchObject({ status: 200, error: undefined })
      expect(seen).toHaveLength(1)
      const [{ fields, ...rest }] = seen as [Seen]
      expect(rest).toEqual({
        method: verb,
        path: target,
        body: how === 'none' ? '' : body,
        trailers: how === 'chunked' ? last.flat() : [],
      })
      expect(fields.slice(2, 2 + list.length * 2)).toEqual(list.flat())
    }
    await fc.assert(fc.asyncProperty(method, path, fc.array(field, { maxLength: 5 }), kind, pieces, trailers, run), {
      numRuns: 200,
    })
  })

  it.each([
    ['longer than announced', bodyOf(3, ['ab', 'cd'])],
    ['shorter than announced', bodyOf(5, ['ab', 'cd'])],
    ['shorter by all', bodyOf(5, [])],
    ['with a trailer of two lines', bodyOf('chunked', ['ab'], [['x', 'y\r\nz: a']])],
    ['with a trailer that has no name', bodyOf('chunked', ['ab'], [['', 'y']])],
  ])('never sees a body %s', async (_what, body) => {
    seen.length = 0
    const { outcome, connection } = ask(pool, { method: 'POST', body })
    expect(await outcome).toMatchObject({ status: 0, error: { code: 'REQUEST_INVALID' } })
    expect(connection?.socket.destroyed ?? true).toBe(true)
    expect(body.stops).toBe(1)
    expect(await ask(pool, { path: '/next' }).outcome).toMatchObject({ status: 200 })
    expect(seen.map(({ path: target }) => target)).toEqual(['/next'])
  })
})

it('chunks are written as RFC 9112 section 7.1 has them', async () => {
  let received = ''
  const server = createRawServer((socket) => {
    socket.on('data', (data: Buffer) => {
      received += data.toString('latin1')
      if (received.endsWith('\r\n\r\n') && received.includes('\r\n0\r\n'))
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pool = poolTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const body = bodyOf('chunked', ['ab', '', 'x'.repeat(17)], [['X-Sum', '1']])
  expect(await ask(pool, { method: 'POST', path: '/up', body }).outcome).toMatchObject({ status: 200 })
  const [head, ...rest] = received.split('\r\n\r\n')
  expect(head).toMatch(/^POST \/up HTTP\/1\.1\r\n[^]*transfer-encoding: chunked$/)
  expect(rest.join('\r\n\r\n')).toBe(`2\r\nab\r\n11\r\n${'x'.repeat(17)}\r\n0\r\nX-Sum: 1\r\n\r\n`)
  await pool.close(true)
  server.close()
})
