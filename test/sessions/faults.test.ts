/** A gateway, a Kratos, and between them a network that fails: nobody waits for long, and nobody is told anything wrong. */
import { describe, expect, it, vi } from 'vitest'
import { createStandIn } from '../../demo/stand-in/server.ts'
import { rule, startStd } from '../security/setup.ts'
import { startFaultProxy, type Fault } from '../support/fault_proxy.ts'
import { startServer } from '../support/http_server.ts'

const REQUESTS = 24
/** The budget of a call is two seconds; the rest is for a busy machine. */
const LONGEST_WAIT = 5000

interface Seen {
  readonly status: number
  /** Who the upstream was told it is; empty when it was not reached. */
  readonly subject: string
  readonly expected: string
  readonly milliseconds: number
  readonly retryAfter: string | null
}

/** Asks as Alice, as Bob and as nobody, all at once. */
async function arrange(cache: object) {
  const standIn = await createStandIn()
  const proxy = await startFaultProxy(standIn.publicUrl)
  const upstream = await startServer((request, response) => response.end(request.headers['x-user']))
  const header = { handler: 'header', config: { headers: { 'X-User': '{{ .Subject }}' } } }
  const gateway = await startStd({
    store: proxy.url,
    config: {
      mutators: { header: { enabled: true, config: { headers: {} } } },
      kratos: { public_url: proxy.url },
      log: { level: 'info' },
    },
    rules: [
      rule(
        '/',
        {
          match: { url: 'http://<[^/]+>/', methods: ['GET'] },
          authenticators: [{ handler: 'cookie_session', config: { cache } }],
          mutators: [header],
        },
        upstream.url,
      ),
    ],
  })
  const users = [
    { cookie: standIn.signIn(standIn.alice).cookie, expected: standIn.alice.id },
    { cookie: standIn.signIn(standIn.bob).cookie, expected: standIn.bob.id },
    { cookie: 'ory_kratos_session=made-up', expected: '' },
  ]
  const ask = async (index: number): Promise<Seen> => {
    const { cookie, expected } = users[index % users.length]!
    const start = performance.now()
    const response = await fetch(`${gateway.proxy}/`, { headers: { Cookie: cookie } })
    const text = await response.text()
    return {
      status: response.status,
      subject: response.ok ? text : '',
      expected,
      milliseconds: performance.now() - start,
      retryAfter: response.headers.get('retry-after'),
    }
  }
  return {
    proxy,
    gateway,
    ask: () => Promise.all(Array.from({ length: REQUESTS }, (_, index) => ask(index))),
    async [Symbol.asyncDispose]() {
      for (const part of [gateway, upstream, proxy]) await part[Symbol.asyncDispose]()
      await standIn.close()
    },
  }
}

/** Another identity, a session for nobody, or a refusal of somebody who has a session. */
const wrong = ({ status, subject, expected }: Seen): boolean =>
  subject === '' ? expected !== '' && status !== 503 : subject !== expected

const faults: readonly [name: string, fault: Fault][] = [
  ['a reset', { kind: 'reset' }],
  ['an answer cut in its head', { kind: 'truncate', bytes: 60 }],
  ['an answer cut in its body', { kind: 'truncate', bytes: -10 }],
  ['a black hole', { kind: 'black hole' }],
  ['a delay beyond the budget', { kind: 'delay', milliseconds: 10_000 }],
  ['a storm of 503', { kind: 'answer', status: '503 Service Unavailable', body: '{}' }],
  ['a login page in its place', { kind: 'answer', status: '200 OK', body: '<html>log in</html>' }],
]

describe('between the gateway and Kratos', () => {
  it.each(faults)(
    '%s: 503, never anything wrong, and all is well again afterwards',
    { timeout: 30_000 },
    async (_, fault) => {
      await using test = await arrange({})
      const before = await test.ask()
      test.proxy.fault = fault
      const during = [...(await test.ask()), ...(await test.ask())]
      test.proxy.fault = { kind: 'none' }
      await vi.waitFor(async () => expect((await test.ask()).every(({ status }) => status !== 503)).toBe(true), 10_000)
      const after = await test.ask()

      const all = [...before, ...during, ...after]
      expect(all.filter(wrong)).toEqual([])
      expect([...before, ...after].filter(({ status }) => status !== 200 && status !== 401)).toEqual([])
      expect(during.filter(({ status, retryAfter }) => status !== 503 || retryAfter === null)).toEqual([])
      expect(Math.max(...all.map(({ milliseconds }) => milliseconds))).toBeLessThan(LONGEST_WAIT)
    },
  )

  it.each(faults)('%s: known sessions go on with stale_if_error', { timeout: 30_000 }, async (_, fault) => {
    await using test = await arrange({ stale_if_error: '60s' })
    const before = await test.ask()
    test.proxy.fault = fault
    const during = [...(await test.ask()), ...(await test.ask())]
    expect([...before, ...during].filter(wrong)).toEqual([])
    expect(during.filter(({ status, expected }) => status !== (expected === '' ? 503 : 200))).toEqual([])
    expect(test.gateway.log.filter((line) => line.includes('"session_stale":true'))).toHaveLength(
      (2 * REQUESTS * 2) / 3,
    )
    const metrics = await (await fetch(`${test.gateway.metrics}/metrics`)).text()
    expect(metrics).toMatch(/session_cache_hits_total\{kind="stale"\} 32\n/)
  })

  it('a delay within the budget: slow, and right', async () => {
    await using test = await arrange({})
    test.proxy.fault = { kind: 'delay', milliseconds: 200 }
    const seen = await test.ask()
    expect(seen.filter(wrong)).toEqual([])
    expect(seen.map(({ status }) => status)).toEqual(seen.map(({ expected }) => (expected === '' ? 401 : 200)))
  })
})
