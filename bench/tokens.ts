/**
 * What tokens cost: signatures by algorithm, claims by language, a token from the cache; and what other requests notice of
 * a claims mapper that does not come to an end. Everything runs in this process: `npm run bench -- --tokens`.
 */
import { randomUUID } from 'node:crypto'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { compileClaims } from '../src/tokens/claims/compile.ts'
import { jsonnetMapper } from '../src/tokens/claims/jsonnet.ts'
import { evaluateHere, type EvaluateMapper, mapperClaims } from '../src/tokens/claims/mapper.ts'
import type { ClaimsTemplate } from '../src/tokens/claims/template.ts'
import { createMapperWorkers } from '../src/tokens/claims/workers/pool.ts'
import { generateKeySet } from '../src/tokens/generate.ts'
import { readKeySet } from '../src/tokens/key_set.ts'
import { allClaims, createIssue, createMint, type TokenSettings } from '../src/tokens/mint.ts'
import { createTokenCache } from '../src/tokens/token_cache.ts'
import type { Exchange } from '../src/pipeline/contract/exchange.ts'
import type { SigningKey } from '../src/pipeline/contract/keys.ts'
import type { Session } from '../src/pipeline/contract/session.ts'

const algorithms = ['ES256', 'ES384', 'ES512', 'EdDSA', 'RS256', 'PS256', 'HS256']
const clock = { now: () => Date.now(), monotonic: () => performance.now() }
const secure = { missing_field: 'error' } as const

const newSession = (id: number): Session => ({
  subject: '7458af86-c1d8-401c-978a-8da89133f78b',
  id: `session-${id}`,
  expiresAt: Date.parse('2999-01-01T00:00:00Z'),
  extra: {
    id: `session-${id}`,
    active: true,
    authenticator_assurance_level: 'aal1',
    identity: {
      id: '7458af86-c1d8-401c-978a-8da89133f78b',
      schema_id: 'default',
      traits: { email: 'ada@example.org', name: { first: 'Ada', last: 'Lovelace' } },
      metadata_public: { role: 'editor', roles: ['editor', 'author'] },
    },
  },
})

const exchangeOf = (session: Session): Exchange => ({
  inbound: {
    method: 'GET',
    scheme: 'https',
    host: 'app.example',
    path: '/notes',
    target: '/notes',
    query: '',
    headers: { raw: [], get: () => undefined, all: () => [] },
    remoteAddress: '127.0.0.1',
  },
  captures: [],
  session,
  edits: [],
})

/** Hasura's claims in each language. */
const languages: Readonly<Record<string, ClaimsTemplate | undefined>> = {
  'no template': undefined,
  Handlebars: compileClaims(
    {
      'https://hasura.io/jwt/claims': {
        'x-hasura-user-id': '{{subject}}',
        'x-hasura-default-role': '{{extra.identity.metadata_public.role}}',
        'x-hasura-allowed-roles': '{{extra.identity.metadata_public.roles}}',
      },
    },
    secure,
  ),
  'Go template': compileClaims(
    `{"https://hasura.io/jwt/claims": {
      "x-hasura-user-id": "{{ .Subject }}",
      "x-hasura-default-role": "{{ .Extra.identity.metadata_public.role }}",
      "x-hasura-allowed-roles": {{ .Extra.identity.metadata_public.roles | toJson }}
    }}`,
    secure,
  ),
  Jsonnet: mapperClaims(
    jsonnetMapper(
      `local identity = std.extVar('session').identity;
      { claims: { 'https://hasura.io/jwt/claims': {
        'x-hasura-user-id': identity.id,
        'x-hasura-default-role': identity.metadata_public.role,
        'x-hasura-allowed-roles': identity.metadata_public.roles,
      } } }`,
      'hasura.jsonnet',
    ),
  ),
}

const keyOf = async (alg: string): Promise<SigningKey> =>
  (await readKeySet(JSON.stringify(await generateKeySet({ alg, kid: alg })), alg)).signingKey()

const settingsOf = (key: SigningKey, claims?: ClaimsTemplate): TokenSettings => ({
  issuer: 'https://issuer.example/',
  ttl: 600_000,
  key,
  claims,
  safeguards: { token_backdate: 0, token_lifetime: 'session' },
  clock,
  randomUUID: () => randomUUID(),
})

/** Microseconds of CPU time per call, all threads together, after as long a warm-up: rates move with the machine. */
const timed = async (milliseconds: number, work: (turn: number) => unknown): Promise<number> => {
  for (const isWarmUp of [true, false]) {
    const start = performance.now()
    const before = process.cpuUsage()
    let turns = 0
    while (performance.now() - start < milliseconds) {
      // Clocks cost more than some of what is measured.
      for (let i = 0; i < 50; i++) {
        const result = work(turns++)
        if (result instanceof Promise) await result
      }
    }
    const { user, system } = process.cpuUsage(before)
    if (!isWarmUp) return (user + system) / turns
  }
  return Number.NaN
}

const WIDTH = 70

const row = (name: string, ...cells: readonly string[]): string =>
  `| ${name.padEnd(WIDTH)} | ${cells.map((cell) => cell.padStart(12)).join(' | ')} |`

const perSecond = (microseconds: number): string => (1e6 / microseconds).toFixed(0)

async function signatures(milliseconds: number): Promise<string[]> {
  const exchange = exchangeOf(newSession(0))
  const atOnce = 16
  const rows: string[] = []
  for (const alg of algorithms) {
    const issue = createIssue(settingsOf(await keyOf(alg)))
    const each = await timed(milliseconds, () => Promise.all(Array.from({ length: atOnce }, () => issue(exchange))))
    rows.push(row(`a token signed with ${alg}`, perSecond(each / atOnce), (each / atOnce).toFixed(1)))
  }
  return rows
}

async function evaluations(milliseconds: number): Promise<string[]> {
  const key = await keyOf('HS256')
  const exchange = exchangeOf(newSession(0))
  const rows: string[] = []
  for (const [language, claims] of Object.entries(languages)) {
    const settings = settingsOf(key, claims)
    const each = await timed(milliseconds, () => allClaims(exchange, settings))
    rows.push(row(`claims evaluated: ${language}`, perSecond(each), each.toFixed(1)))
  }
  return rows
}

async function cached(milliseconds: number): Promise<string[]> {
  const options = { ...settingsOf(await keyOf('ES256'), languages['Handlebars']), jwksUrl: 'file:///keys.json' }
  const mint = createMint({ ...options, tokens: createTokenCache({ clock }) })
  const same = exchangeOf(newSession(0))
  await mint(same)
  const remembered = await timed(milliseconds, () => mint(same))
  // A new object for the same session, as each answer of the session store makes one.
  const found = await timed(milliseconds, () => mint(exchangeOf(newSession(0))))
  return [
    row('a token from the cache, session kept', perSecond(remembered), remembered.toFixed(2)),
    row('a token from the cache, session asked for again', perSecond(found), found.toFixed(2)),
  ]
}

const endless = jsonnetMapper(
  'local f(n) = if n < 2 then 1 else f(n - 1) + f(n - 2); { claims: { a: f(60) } }',
  'endless',
)
const greedy = jsonnetMapper(
  '{ claims: { a: std.foldl(function(a, i) a + [i, a], std.range(1, 100000), []) } }',
  'greedy',
)
const TIME_LIMIT = 300

/** Milliseconds that requests with a small mapper of their own take, one after the other, while `others` is kept busy. */
async function latencies(milliseconds: number, evaluate?: EvaluateMapper): Promise<number[]> {
  const settings = settingsOf(await keyOf('HS256'), languages['Jsonnet'])
  const exchange = exchangeOf(newSession(0))
  const measuring = new AbortController()
  const hostile = async (mapper: typeof endless): Promise<void> => {
    while (!measuring.signal.aborted) {
      await Promise.resolve()
        .then(() => evaluate?.(mapper, {}, {}, {}))
        .catch(() => undefined)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const running = evaluate === undefined ? [] : [hostile(endless), hostile(greedy)]
  const taken: number[] = []
  const start = performance.now()
  while (performance.now() - start < milliseconds) {
    const began = performance.now()
    await new Promise((resolve) => setImmediate(resolve))
    await allClaims(exchange, settings)
    taken.push(performance.now() - began)
  }
  measuring.abort()
  await Promise.all(running)
  return taken.toSorted((left, right) => left - right)
}

async function disturbances(milliseconds: number): Promise<string[]> {
  const workers = createMapperWorkers({ threads: 2 })
  const there: EvaluateMapper = (mapper, session, defaults, others) =>
    workers.evaluate(mapper, { session, defaults, others }, TIME_LIMIT)
  const rows: string[] = []
  for (const [name, evaluate] of [
    ['alone', undefined],
    [`beside mappers without end on threads, ${TIME_LIMIT} ms each`, there],
    ['beside mappers without end on the main thread', evaluateHere],
  ] as const) {
    const taken = await latencies(milliseconds, evaluate)
    const at = (share: number): string => (taken[Math.floor(taken.length * share)] ?? Number.NaN).toFixed(3)
    rows.push(row(`other requests, ${name}`, at(0.5), at(0.99), at(0.999)))
  }
  await workers.close()
  return rows
}

/** The figures as Markdown. `milliseconds`: length of one measurement. */
export async function tokenFigures(milliseconds: number): Promise<string> {
  const costs = [
    ...(await signatures(milliseconds)),
    ...(await evaluations(milliseconds)),
    ...(await cached(milliseconds)),
  ]
  const ruler = '-'.repeat(WIDTH)
  return [
    row('what', 'per s, core', 'CPU µs'),
    `| ${ruler} | -----------: | -----------: |`,
    ...costs,
    '',
    row('latency of claims and one turn of the event loop', 'p50 ms', 'p99 ms', 'p99.9 ms'),
    `| ${ruler} | -----------: | -----------: | -----------: |`,
    ...(await disturbances(milliseconds * 3)),
    '',
    `- Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0]?.toFixed(1)}; signatures 16 at a time, all else one after the other`,
    "- Hasura's claims in each language; a session of 500 bytes",
  ].join('\n')
}
