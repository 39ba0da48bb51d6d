/** Whatever the request target: what rules match is what the upstream gets, and every reader of it reads the same. */
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import { readInbound } from '../../src/proxy/inbound.ts'
import { upstreamPath } from '../../src/proxy/target.ts'
import { compatible, secure, targetOf } from '../proxy/harness.ts'
import type { ListeningGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'
import { openClient } from '../support/raw-client.ts'
import { startRecorder, type Recorder } from '../support/recorder.ts'
import { rule, startStd, whoami } from './setup.ts'

const escapes = [
  '%2e',
  '%2E',
  '%2f',
  '%2F',
  '%5c',
  '%00',
  '%0d%0a',
  '%25',
  '%252e',
  '%252f',
  '%3b',
  '%3f',
  '%23',
  '%61',
  '%20',
]
const odd = [
  '%',
  '%2',
  '%zz',
  '%u002e',
  '%c0%ae',
  '%ef%bc%8e',
  '%e2%80%ae',
  '%C3%A9',
  '\u00e4',
  '\u0000',
  '\t',
  ' ',
  '\u007f',
]
const marks = [
  '/',
  '//',
  '.',
  '..',
  '/./',
  '/../',
  '...',
  ';',
  '?',
  '#',
  '\\',
  '@',
  ':',
  '*',
  '&',
  '=',
  '~',
  "'",
  '|',
  '"',
  '<',
  '^',
]
const words = ['public', 'admin', 'v1', 'graphql', 'rest', 'a', 'B', '1', 'http://evil.example', '//evil.example']

const target = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('/', ...words) },
      { weight: 2, arbitrary: fc.constantFrom(...marks) },
      { weight: 1, arbitrary: fc.constantFrom(...escapes, ...odd) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`)

/** Such as is never refused in a strict path, so that these are many, too. */
const plainTarget = fc
  .array(fc.constantFrom('/public', '/admin', '/rest', '/%61', '/~x', '/a.b', '/%20', "/'", '/%C3%A9'), {
    maxLength: 6,
  })
  .chain((parts) =>
    fc.constantFrom('', '?a=/../b', '?%2e', '/').map((end) => (parts.length === 0 ? '/' : parts.join('') + end)),
  )

function read(url: string, settings: typeof secure): Inbound | GatewayError {
  const request = { method: 'GET', url, httpVersion: '1.1', rawHeaders: ['Host', 'gw.example'] }
  return readInbound(request, { address: '192.0.2.1', tls: false }, settings)
}

const trimmed = (path: string): string => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)
const beforeQuery = (text: string): string => text.split('?')[0] ?? ''

/** What three readers that know nothing of the gateway make of a forwarded target. */
function readers(forwarded: string): string[] {
  const path = beforeQuery(forwarded)
  const { host, pathname } = new URL(`http://upstream.internal${forwarded}`)
  expect(host).toBe('upstream.internal')
  return [decodeURIComponent(path), decodeURIComponent(pathname), cleaned(decodeURIComponent(path))].map(trimmed)
}

/** Dot segments and empty ones resolved, as software that is careful does once more. */
function cleaned(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop()
    else if (segment !== '.' && segment !== '') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

const upstream = targetOf('http://upstream.internal')

function expectOneMeaning(url: string, settings: typeof secure): boolean {
  const inbound = read(url, settings)
  if (inbound instanceof GatewayError) {
    if (inbound.code !== 'request_invalid') throw inbound
    return false
  }
  const forwarded = upstreamPath(inbound, upstream, settings.safeguards.path)
  const complaint = complaintAbout(url, inbound, forwarded, settings)
  if (complaint !== undefined)
    throw new Error(`${complaint}: ${JSON.stringify({ url, forwarded, path: inbound.path })}`)
  return true
}

function complaintAbout(url: string, inbound: Inbound, forwarded: string, settings: typeof secure): string | undefined {
  if (!/^\/(?!\/)[!-~\u0080-\u00ff]*$/.test(forwarded)) return 'no target in origin form'
  if (!readers(forwarded).every((path) => path === inbound.path)) return 'matched is not forwarded'
  // Read a second time, it does not change any more.
  const again = read(forwarded, settings)
  if (again instanceof GatewayError || again.path !== inbound.path || again.target !== inbound.target)
    return 'not final'
  if (settings.safeguards.path === 'resolve') return undefined
  // A query without a character is none.
  if (forwarded !== url && `${forwarded}?` !== url) return 'not forwarded as it came'
  return trimmed(decodeURIComponent(decodeURIComponent(beforeQuery(url)))) === inbound.path
    ? undefined
    : 'decoded twice'
}

/** Milliseconds, on a machine that others use, too. */
const patience = { timeout: 180_000 }

describe('100,000 random targets', patience, () => {
  it.each([
    ['refuse', secure, 500],
    ['resolve', compatible, 5000],
  ] as const)('%s: matched is forwarded, and nobody reads it in another way', (_mode, settings, least) => {
    let taken = 0
    const property = fc.property(target, (url) => {
      if (expectOneMeaning(url, settings)) taken++
    })
    fc.assert(property, { numRuns: 100_000 })
    expect(taken).toBeGreaterThan(least)
  })

  it('those that are plain are taken', () => {
    fc.assert(
      fc.property(plainTarget, (url) => {
        expect(expectOneMeaning(url, secure)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('random targets to a running gateway', patience, () => {
  let store: TestServer
  let recorder: Recorder

  beforeAll(async () => {
    store = await startServer(whoami)
    recorder = await startRecorder()
  })
  afterEach(() => recorder.reset())
  afterAll(async () => {
    await recorder.close()
    await store[Symbol.asyncDispose]()
  })

  /** Sends GET for each target on one connection after the other; the statuses of the answers. */
  async function sendAll(gateway: ListeningGateway, targets: readonly string[]): Promise<number[]> {
    const statuses: number[] = []
    let client = await openClient(gateway.addresses.proxy.port)
    for (const one of targets) {
      client.write(Buffer.from(`GET ${one} HTTP/1.1\r\nHost: gw.example\r\n\r\n`, 'latin1'))
      const { status } = await client.response()
      statuses.push(status)
      // What the parser itself cannot read ends the connection.
      if (status !== 400) continue
      client.close()
      client = await openClient(gateway.addresses.proxy.port)
    }
    client.close()
    return statuses
  }

  const header = { handler: 'header', config: { headers: { 'X-Matched': '{{ .MatchContext.URL.Path | urlquery }}' } } }
  const open = { authenticators: [{ handler: 'anonymous' }] }

  it.each(['refuse', 'resolve'] as const)('%s: the template of the rule sees the path that goes on', async (path) => {
    await using gateway = await startStd({
      store: store.url,
      rules: [rule('<.*>', { ...open, mutators: [header] }, recorder.origin)],
      config: {
        profile: 'secure',
        safeguards: { path },
        mutators: { header: { enabled: true, config: { headers: {} } } },
      },
    })
    const targets = fc.sample(fc.oneof(target, plainTarget), 2000)
    const statuses = await sendAll(gateway, targets)
    expect(new Set(statuses)).toEqual(new Set([200, 400]))
    expect(recorder.requests).toHaveLength(statuses.filter((status) => status === 200).length)
    for (const request of recorder.requests) {
      const matched = decodeURIComponent((request.all('x-matched')[0] ?? '').replaceAll('+', ' '))
      expect(readers(request.target)).toEqual([matched, matched, matched])
    }
  })

  it('nothing that needs a session is reached without one', async () => {
    await using gateway = await startStd({ store: store.url, upstream: recorder.origin })
    const near = fc
      .tuple(fc.constantFrom('/public', '/admin', '/rest', '/v1', ''), target)
      .map(([prefix, rest]) => prefix + rest)
    const statuses = await sendAll(gateway, fc.sample(near, 2000))
    for (const status of statuses) expect([200, 400, 401, 404]).toContain(status)
    expect(recorder.requests).toHaveLength(statuses.filter((status) => status === 200).length)
    for (const request of recorder.requests)
      for (const path of readers(request.target)) expect(path).toMatch(/^\/public(\/|$)/)
  })
})
