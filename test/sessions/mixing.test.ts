/**
 * Users, credentials, carriers and caches in any order: every request that goes on carries the identity whose credential
 * the client sent, and nobody whose session has ended goes on for longer than the rule says.
 */
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/pipeline/contract/decision.ts'
import { claimsOf, loadStd, rule, sessionOf } from '../security/setup.ts'
import type { TestGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'

const USERS = 5
const STEPS = 10_000
const STEPS_PER_RUN = 250

const cookie = (config: object) => ({ handler: 'cookie_session', config })
const bearer = (config: object) => ({ handler: 'bearer_token', config })
const token = { header: 'X-Session-Token' }

/** Rules by path: each carrier with caches that differ, and with none. `keeps` tells whether a session may outlive its end. */
const RULES = [
  { path: '/cookie/asked', keeps: false, carrier: 'cookie', authenticators: [cookie({ cache: { enabled: false } })] },
  { path: '/cookie/kept', keeps: true, carrier: 'cookie', authenticators: [cookie({ cache: { ttl: '1h' } })] },
  {
    path: '/cookie/small',
    keeps: true,
    carrier: 'cookie',
    authenticators: [cookie({ cache: { ttl: '1h', max_entries: 2 } })],
  },
  {
    path: '/cookie/other',
    keeps: true,
    carrier: 'cookie',
    authenticators: [cookie({ cache: { ttl: '1h' }, extra_from: 'identity' })],
  },
  { path: '/bearer/asked', keeps: false, carrier: 'bearer', authenticators: [bearer({})] },
  { path: '/bearer/kept', keeps: true, carrier: 'bearer', authenticators: [bearer({ cache: { ttl: '1h' } })] },
  {
    path: '/token/kept',
    keeps: true,
    carrier: 'token',
    authenticators: [bearer({ cache: { ttl: '1h' }, token_from: token })],
  },
  {
    path: '/any/kept',
    keeps: true,
    carrier: 'any',
    authenticators: [
      cookie({ cache: { ttl: '1h' } }),
      bearer({ cache: { ttl: '1h' }, token_from: token }),
      bearer({ cache: { ttl: '1h' } }),
    ],
  },
] as const

type Carrier = 'cookie' | 'token' | 'bearer'
type Credentials = Readonly<Partial<Record<Carrier, string>>>

/** Knows credentials of the form `user.generation`; a new generation ends the sessions of all older ones. */
const generations = Array.from({ length: USERS }, () => 0)

const isLive = (credential: string): boolean => {
  const [user = '', generation = ''] = credential.split('.')
  return generations[Number(user)] === Number(generation)
}

let store: TestServer
let test: TestGateway

beforeAll(async () => {
  store = await startServer(({ headers }, response) => {
    const sent = [
      headers['x-session-token'],
      headers.cookie?.replace('ory_kratos_session=', ''),
      headers.authorization?.replace('Bearer ', ''),
    ].filter((credential) => credential !== undefined)
    const [credential = ''] = sent as string[]
    // One credential is asked about, never a mixture.
    if (sent.length !== 1 || !isLive(credential)) response.writeHead(401).end()
    else {
      const [user] = credential.split('.')
      response.end(JSON.stringify(sessionOf(`user-${user}`, { id: `session-${credential}` })))
    }
  })
  const mutators = [{ handler: 'id_token', config: { claims: { of: '{{ subject }}' } } }]
  test = await loadStd({
    store: store.url,
    rules: RULES.map(({ path, authenticators }) => rule(path, { authenticators, mutators })),
  })
})

afterAll(async () => {
  await test[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
})

interface Step {
  readonly kind: 'ask' | 'log out' | 'ask twice'
  readonly user: number
  readonly rule: number
  /** Which carriers are there, and how far each one's user is from `user`. */
  readonly cookie: number | undefined
  readonly token: number | undefined
  readonly bearer: number | undefined
  readonly outdated: boolean
}

const offset = fc.option(fc.nat(USERS - 1), { nil: undefined })
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('ask', 'ask', 'ask', 'ask twice', 'log out'),
  user: fc.nat(USERS - 1),
  rule: fc.nat(RULES.length - 1),
  cookie: offset,
  token: offset,
  bearer: offset,
  outdated: fc.boolean(),
})

function credentialsOf({ user, outdated, cookie: first, token: second, bearer: third }: Step): Credentials {
  const of = (distance: number | undefined): string | undefined => {
    if (distance === undefined) return undefined
    const index = (user + distance) % USERS
    return `${index}.${(generations[index] ?? 0) - (outdated ? 1 : 0)}`
  }
  const [a, b, c] = [of(first), of(second), of(third)]
  return {
    ...(a !== undefined && { cookie: a }),
    ...(b !== undefined && { token: b }),
    ...(c !== undefined && { bearer: c }),
  }
}

function send({ path }: (typeof RULES)[number], { cookie: value, token: header, bearer: authorization }: Credentials) {
  const headers = {
    ...(value !== undefined && { Cookie: `theme=dark; ory_kratos_session=${value}` }),
    ...(header !== undefined && { 'X-Session-Token': header }),
    ...(authorization !== undefined && { Authorization: `Bearer ${authorization}` }),
  }
  return test.gateway.decide(inboundOf(`http://gw.example${path}`, { headers }))
}

/** The credential that the rule looks at. */
function chosen({ carrier }: (typeof RULES)[number], credentials: Credentials): string | undefined {
  return carrier === 'any' ? (credentials.cookie ?? credentials.token ?? credentials.bearer) : credentials[carrier]
}

/** What is wrong with a decision, or undefined. */
function mistake(decision: Decision, at: (typeof RULES)[number], credential: string | undefined): string | undefined {
  if (!decision.allowed) {
    if (decision.answer.status !== 401) return `answered ${decision.answer.status}`
    return credential !== undefined && isLive(credential) ? 'refused somebody with a session' : undefined
  }
  if (credential === undefined) return 'let somebody in without a credential'
  const user = `user-${credential.split('.')[0]}`
  const { sub, of } = claimsOf(decision)
  if (sub !== user || of !== user || decision.session.id !== `session-${credential}`) return `took ${user} for ${sub}`
  return at.keeps || isLive(credential) ? undefined : 'let somebody in whose session has ended'
}

describe('whoever asks', () => {
  it('is told to the upstream as who they are', { timeout: 120_000 }, async () => {
    let steps = 0
    const run = async (sequence: readonly Step[]): Promise<void> => {
      for (const each of sequence) {
        steps++
        if (each.kind === 'log out') {
          generations[each.user]!++
          continue
        }
        const at = RULES[each.rule]!
        const credentials = credentialsOf(each)
        const times = each.kind === 'ask twice' ? [1, 2] : [1]
        const decisions = await Promise.all(times.map(async () => send(at, credentials)))
        const mistakes = decisions.map((decision) => mistake(decision, at, chosen(at, credentials)))
        expect(mistakes).toEqual(times.map(() => undefined))
      }
    }
    const sequences = fc.array(step, { minLength: STEPS_PER_RUN, maxLength: STEPS_PER_RUN })
    await fc.assert(fc.asyncProperty(sequences, run), { numRuns: STEPS / STEPS_PER_RUN })
    expect(steps).toBeGreaterThanOrEqual(STEPS)
    // The caches took part: far fewer calls than requests.
    expect(store.requests.length).toBeLessThan(steps)
  })
})
