/**
 * The same answers, through undici and through our own client: both come to the same, or both refuse. Where they differ, the
 * difference has a name and a reason here.
 */
import * as fc from 'fast-check'
import { Client, type Dispatcher } from 'undici'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corpus } from './corpus.ts'
import { ask, poolTo, type ScriptedServer, startScripted, type Outcome } from './support.ts'

/** What we refuse and undici takes, by what we say. */
const stricter: Readonly<Record<string, string>> = {
  'a transfer coding is not known': 'nobody knows where the message ends (RFC 9112 section 6.1); undici guesses',
  'an HTTP/1.0 response comes in chunks': 'its peers may see another end (RFC 9112 section 6.1)',
  'the status is none': 'from 600 on, it is to be taken for a 5xx (RFC 9110 section 15)',
  'it does not begin with HTTP/1.1 or HTTP/1.0':
    'other versions frame in other ways, and an empty line in front (RFC 9112 section 2.2) is for requests alone',
  'the reason phrase has a character that it may not': 'control characters have no place there (RFC 9112 section 4)',
  'there are too many chunk extensions': 'they say nothing, and could go on for ever (RFC 9112 section 7.1.1)',
  'the head of the response has more than 16384 bytes': 'undici counts names and values alone',
  'there are more than 256 fields': 'a bound on what one answer costs',
}

/** What we take and undici refuses. */
const wider: readonly { reason: string; applies: (bytes: string, ours: Plain, theirs: Plain) => boolean }[] = [
  {
    reason: 'a client takes any interim response, asked for or not (RFC 9110 section 15.2)',
    applies: (_bytes, { interim }) => interim.includes(100),
  },
  {
    reason: 'blanks around a value are no part of it (RFC 9110 section 5.5)',
    applies: (bytes) => /content-length:[^\r]*[ \t]\r/i.test(bytes),
  },
  {
    reason: 'a trailer is no part of the head, and frames nothing (RFC 9110 section 6.5.1)',
    applies: (_bytes, { trailers }) => trailers.some((text) => /^(?:content-length|transfer-encoding)$/i.test(text)),
  },
  {
    reason: 'extensions of chunks are ignored, whatever they are; they end with the line (RFC 9112 section 7.1.1)',
    applies: (_bytes, _ours, { error }) => error?.message.includes('chunk extension') === true,
  },
]

type Plain = Omit<Outcome, 'reused'>

let server: ScriptedServer
let asked = 0
beforeAll(async () => {
  server = await startScripted()
})
afterAll(() => server.close())

/** Leading blanks are no part of a value; llhttp leaves those behind it. */
const texts = (list: unknown): string[] =>
  ((list ?? []) as Buffer[]).map((text) => text.toString('latin1').replace(/[ \t]+$/, ''))

async function viaUndici(path: string, method: string): Promise<Plain> {
  const client = new Client(server.origin)
  try {
    return await new Promise((resolve) => {
      const seen = { status: 0, fields: [] as string[], body: '', trailers: [] as string[], interim: [] as number[] }
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: () => undefined,
        onResponseStart(controller, status) {
          if (status < 200) seen.interim.push(status)
          else Object.assign(seen, { status, fields: texts(controller.rawHeaders) })
        },
        onResponseData(_controller, chunk) {
          seen.body += chunk.toString('latin1')
        },
        onResponseEnd({ rawTrailers }) {
          resolve({ ...seen, trailers: texts(rawTrailers), error: undefined })
        },
        onResponseError: (_controller, error) => resolve({ ...seen, error }),
      }
      client.dispatch({ path, method }, handler)
    })
  } finally {
    await client.destroy()
  }
}

async function viaOurs(path: string, method: string): Promise<Plain> {
  const pool = poolTo(server.origin)
  const { status, fields, body, trailers, interim, error } = await ask(pool, { path, method }).outcome
  await pool.close(true)
  return { status, fields, body, trailers, interim, error }
}

/**
 * The name of the difference; `the same` or `both refuse` when there is none; what each of both says when the difference has
 * no name.
 */
async function difference(bytes: string, method: string): Promise<string> {
  const name = String(asked++)
  server.scripts.set(name, { segments: [bytes], after: 'end' })
  const ours = await viaOurs(`/${name}`, method)
  let found = ''
  // What undici says may depend on when it sees that the connection ends: what counts shows again.
  for (let i = 0; i < 2; i++) {
    const theirs = await viaUndici(`/${name}`, method)
    found = named(bytes, ours, theirs)
    if (known.has(found)) break
  }
  server.scripts.delete(name)
  return found
}

function named(bytes: string, ours: Plain, theirs: Plain): string {
  if (isDeepStrictEqual(ours, theirs)) return 'the same'
  if (ours.error !== undefined && theirs.error !== undefined) return 'both refuse'
  const why = ours.error?.message ?? (theirs.error && wider.find(({ applies }) => applies(bytes, ours, theirs))?.reason)
  return why !== undefined && known.has(why) ? why : JSON.stringify({ bytes, ours, theirs }).slice(0, 2000)
}

const known = new Set([...Object.keys(stricter), ...wider.map(({ reason }) => reason), 'the same', 'both refuse'])

describe('answers written by hand', () => {
  const names = new Set<string>()

  it.each(corpus)('$name', async ({ bytes, method = 'GET' }) => {
    const found = await difference(bytes, method)
    names.add(found)
    expect(known).toContain(found)
  })

  it('has an answer for each difference', () => {
    expect([...names].toSorted()).toEqual([...known].toSorted())
  })
})

const blank = fc.constantFrom('', ' ', '  ', '\t', ' \t')
const token = fc.string({ unit: fc.constantFrom(...Array.from('aZ09!#$%&*+-.^_`|~')), minLength: 1, maxLength: 8 })
const value = fc.string({ unit: fc.constantFrom(...Array.from('aZ09 \t,;:="()<>\xe9\xff')), maxLength: 12 })
const field = fc
  .tuple(token, blank, value, blank)
  .map(([name, before, text, after]) => `${name}:${before}${text}${after}`)
const data = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '\0', '\xff', ';', '0'), maxLength: 30 })
const extension = fc.constantFrom('', ';a', ';a=b', ';a="b c"', ';a;b=c')

const chunksOf = fc
  .tuple(fc.array(fc.tuple(data, extension), { maxLength: 4 }), fc.array(field, { maxLength: 2 }))
  .map(([pieces, trailers]) => {
    const whole = pieces.filter(([text]) => text !== '')
    const lines = whole.map(([text, more]) => `${text.length.toString(16)}${more}\r\n${text}\r\n`)
    return `${lines.join('')}0\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`
  })

const framed = fc.oneof(
  data.map((body) => ({ line: [`Content-Length: ${body.length}`], body })),
  chunksOf.map((body) => ({ line: ['Transfer-Encoding: chunked'], body })),
  data.map((body) => ({ line: [], body })),
)

/** Answers as RFC 9112 has them. */
const grammatical = fc
  .record({
    interim: fc.constantFrom('', '', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
    version: fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
    status: fc.constantFrom(200, 201, 204, 206, 301, 304, 404, 500, 503),
    reason: fc.constantFrom(' OK', ' ', ' Not so  good', ' \xe9t\xe9'),
    before: fc.array(field, { maxLength: 3 }),
    framing: framed,
    after: fc.array(field, { maxLength: 3 }),
  })
  .map(({ interim, version, status, reason, before, framing, after }) => {
    const lines = [`${version} ${status}${reason}`, ...before, ...framing.line, ...after]
    return `${interim}${lines.join('\r\n')}\r\n\r\n${framing.body}`
  })

const edit = fc.record({
  at: fc.nat(),
  removed: fc.nat({ max: 2 }),
  added: fc.constantFrom(
    '',
    '\r',
    '\n',
    '\r\n',
    '\0',
    ' ',
    '\t',
    ':',
    ',',
    '0',
    '9',
    'f',
    '-',
    '\x7f',
    '\xff',
    '\r\n\r\n',
    'chunked',
    'Content-Length: 1\r\n',
    'Transfer-Encoding: chunked\r\n',
    ' x\r\n',
    '\n\n',
    'HTTP/1.1 200 OK\r\n\r\n',
  ),
})

const mutated = fc.tuple(grammatical, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([bytes, edits]) => {
  let text = bytes
  for (const { at, removed, added } of edits) {
    const place = at % (text.length + 1)
    text = text.slice(0, place) + added + text.slice(place + removed)
  }
  return text
})

const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'DELETE')

describe('generated answers', () => {
  it('are read the same when they are grammatical', async () => {
    await fc.assert(
      fc.asyncProperty(grammatical, method, async (bytes, verb) => {
        expect(known).toContain(await difference(bytes, verb))
      }),
      { numRuns: Number(process.env['RUNS'] ?? 250) },
    )
  })

  it('are read the same, or refused, when they are not', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, method, async (bytes, verb) => {
        expect(known).toContain(await difference(bytes, verb))
      }),
      { numRuns: Number(process.env['RUNS'] ?? 500) },
    )
  })
})
