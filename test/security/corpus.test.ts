/** smug-043: the requests that node's own parser is tried on, sent to a running gateway. */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { openClient } from '../support/raw-client.ts'
import { startRecorder, type Recorder } from '../support/recorder.ts'

interface Case {
  readonly id: string
  readonly title: string
  /** Latin-1. */
  readonly bytes: string
  readonly error: boolean
}

const file = new URL('../vectors/llhttp.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] }

let upstream: Recorder
let gateway: ListeningGateway

beforeAll(async () => {
  upstream = await startRecorder()
  const on = { enabled: true }
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PURGE', 'REPORT', 'CONNECT']
  const rule = {
    id: 'everything',
    match: { url: '<.*>', methods },
    authenticators: [{ handler: 'noop' }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'noop' }],
    upstream: { url: upstream.origin },
  }
  gateway = await startGateway({
    config: {
      profile: 'secure',
      serve: { proxy: { timeout: { read: '200ms' } } },
      authenticators: { noop: on },
      authorizers: { allow: on },
      mutators: { noop: on },
    },
    rules: [rule],
  })
})
afterEach(() => upstream.reset())
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream.close()
})

/** The statuses that the gateway answers with; the client hangs up after the first answer, or is hung up on. */
async function answersTo(bytes: string): Promise<number[]> {
  const client = await openClient(gateway.addresses.proxy.port)
  client.write(Buffer.from(bytes, 'latin1'))
  const first = await client.response({ head: bytes.startsWith('HEAD') }).catch(() => undefined)
  client.socket.end()
  await client.closed
  const rest = [
    ...client
      .rest()
      .toString('latin1')
      .matchAll(/HTTP\/1\.1 (\d{3}) [^\r]*\r\n/g),
  ]
  return [...(first === undefined ? [] : [first.status]), ...rest.map(([, status]) => Number(status))]
}

/** The parser is tried on many requests without Host, which alone would refuse them. */
const withHost = (bytes: string): string =>
  /\nhost:/i.test(bytes) ? bytes : bytes.replace(/^\S+ \S+ HTTP\/1\.[01]\r\n/, '$&Host: gw.example\r\n')

/** Errors that come after a message that is whole, or are none of the message: the parser was told to stop. */
const afterWhole = new Set([
  'connection:83',
  'connection:296',
  'connection:346',
  'connection:681',
  'connection:715',
  'connection:814',
])

describe('smug-043: what the parser takes for an error', () => {
  it('is all of these', () => {
    expect(cases.filter(({ error }) => error)).toHaveLength(65)
  })

  it.each(cases.filter(({ id, error }) => error && !afterWhole.has(id)))('$id $title', async ({ bytes }) => {
    for (const sent of [bytes, withHost(bytes)]) {
      expect(new Set(await answersTo(sent))).toEqual(new Set([400]))
      expect(upstream.requests).toEqual([])
    }
  })

  it.each(cases.filter(({ id }) => afterWhole.has(id)))('$id $title: the whole message alone', async ({ bytes }) => {
    expect((await answersTo(withHost(bytes)))[0]).toBe(200)
    expect(upstream.requests).toHaveLength(1)
  })
})

describe('smug-043: what the parser takes', () => {
  it.each(cases.filter(({ error }) => !error))('$id $title', async ({ bytes }) => {
    for (const sent of [bytes, withHost(bytes)]) {
      upstream.reset()
      const statuses = await answersTo(sent)
      expect(statuses.length).toBeGreaterThan(0)
      for (const status of statuses) expect([200, 400, 404, 408, 417]).toContain(status)
      expect(upstream.requests.length).toBeLessThanOrEqual(statuses.length)
      for (const { head } of upstream.requests)
        expect(head).toMatch(/^[A-Z-]+ \/[!-~]* HTTP\/1\.1\r\n(?:[!-~]+: [^\r\n]*\r\n)+\r\n$/)
    }
  })
})
