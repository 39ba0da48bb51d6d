/** The attacks on whose session a request gets, once more, on a gateway that keeps sessions. */
import { describe, expect, it, vi } from 'vitest'
import type { Decision } from '../../src/index.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'
import { claimsOf, loadStd, rule, sessionOf, vector, whoami } from './setup.ts'

const cache = { ttl: '1h' }
const kept = { authenticators: [{ handler: 'cookie_session', config: { cache } }] }
const alice = 'ory_kratos_session=ALICE'
const at = (url: string, headers: Record<string, string>) => inboundOf(url, { headers })
const admin = (headers: Record<string, string>) => at('http://gw.example/admin/x', headers)
const rules = [rule('/admin<(/.*)?>', kept)]
const statusOf = (decision: Decision): number => (decision.allowed ? 200 : decision.answer.status)

describe('cache-confusion, with sessions kept', () => {
  it('cache-001, cache-016: each cookie is its own user, by name and value', async () => {
    await using store = await startServer(whoami)
    await using test = await loadStd({ store: store.url, rules })
    for (let round = 0; round < 3; round++) {
      for (const [name, subject] of [
        ['ALICE', 'alice'],
        ['BOB', 'bob'],
      ] as const) {
        const decision = await test.gateway.decide(admin({ Cookie: `ory_kratos_session=${name}` }))
        expect(claimsOf(decision).sub).toBe(subject)
      }
    }
    expect(store.requests).toHaveLength(2)
    expect(statusOf(await test.gateway.decide(admin({ Cookie: 'theme=ALICE' })))).toBe(401)
    expect(statusOf(await test.gateway.decide(admin({ Cookie: 'ory_kratos_session=alice' })))).toBe(401)
  })

  it('cache-002: other credentials beside the one that was chosen change nothing', async () => {
    await using store = await startServer(whoami)
    await using test = await loadStd({ store: store.url, rules })
    await test.gateway.decide(admin({ Cookie: alice }))
    const headers = { Cookie: alice, 'X-Session-Token': 'BOB', Authorization: 'Bearer BOB' }
    expect(claimsOf(await test.gateway.decide(admin(headers))).sub).toBe('alice')
    expect(store.requests).toHaveLength(1)
  })

  it('cache-004: keys cannot be run into one another', async () => {
    await using store = await startServer((request, response) => {
      const known = request.url === '/c%7Cd' && request.headers.authorization === 'Bearer ab'
      response.writeHead(known ? 200 : 401).end(JSON.stringify(sessionOf('alice')))
    })
    const asks = (path: string) => [
      { handler: 'bearer_token', config: { check_session_url: store.url + path, subject_from: 'identity.id', cache } },
    ]
    await using test = await loadStd({
      store: store.url,
      rules: [rule('/a', { authenticators: asks('/c%7Cd') }), rule('/b', { authenticators: asks('/d') })],
    })
    const ask = (path: string, token: string) =>
      test.gateway.decide(at(`http://gw.example${path}`, { Authorization: `Bearer ${token}` }))
    const decisions = [await ask('/a', 'ab'), await ask('/b', 'ab|c'), await ask('/b', 'ab'), await ask('/a', 'ab|c')]
    expect(decisions.map(statusOf)).toEqual([...vector('cache-004').expect.status, 401, 401])
  })

  it('cache-007: one tenant’s answer is not another’s', async () => {
    await using store = await startServer((request, response) => {
      const known = request.headers['x-forwarded-host'] === 't1.example'
      response.writeHead(known ? 200 : 401).end(JSON.stringify(sessionOf('alice')))
    })
    const authenticators = [{ handler: 'cookie_session', config: { preserve_host: true, cache } }]
    const tenants = { ...rule('', { authenticators }), match: { url: 'http://<t1|t2>.example/', methods: ['GET'] } }
    await using test = await loadStd({ store: store.url, rules: [tenants] })
    const decisions = [
      await test.gateway.decide(at('http://t1.example/', { Cookie: alice })),
      await test.gateway.decide(at('http://t2.example/', { Cookie: alice })),
    ]
    expect(decisions.map(statusOf)).toEqual(vector('cache-007').expect.status)
  })

  it.each([
    ['cache-008', 401, {}],
    ['cache-010', 403, { error: { id: 'session_aal2_required' } }],
  ])('%s: an end takes effect within the time that a session is kept', async (id, status, body) => {
    let ended = false
    await using store = await startServer((request, response) => {
      if (ended) response.writeHead(status).end(JSON.stringify(body))
      else whoami(request, response)
    })
    const short = { authenticators: [{ handler: 'cookie_session', config: { cache: { ttl: '300ms' } } }] }
    await using test = await loadStd({ store: store.url, rules: [rule('/admin<(/.*)?>', short)] })
    const ask = async () => statusOf(await test.gateway.decide(admin({ Cookie: alice })))
    const first = await ask()
    ended = true
    const last = await vi.waitUntil(
      async () => {
        const now = await ask()
        return now === 200 ? undefined : now
      },
      { timeout: 5000, interval: 20 },
    )
    expect([first, last]).toEqual(vector(id).expect.status)
  })

  it('cache-013: rules with one session and two templates never swap their claims', async () => {
    await using store = await startServer(whoami)
    const as = (role: string) => ({ ...kept, mutators: [{ handler: 'id_token', config: { claims: { role } } }] })
    await using test = await loadStd({ store: store.url, rules: [rule('/a', as('reader')), rule('/b', as('writer'))] })
    const roles = await Promise.all(
      Array.from(
        { length: 1000 },
        async (_, index) =>
          claimsOf(
            await test.gateway.decide(at(`http://gw.example/${index % 2 === 0 ? 'a' : 'b'}`, { Cookie: alice })),
          )['role'],
      ),
    )
    expect(roles).toEqual(roles.map((_, index) => (index % 2 === 0 ? 'reader' : 'writer')))
    expect(store.requests).toHaveLength(1)
  })

  it('cache-019: a flood of made-up cookies drives out nobody', async () => {
    await using store = await startServer((request, response) => {
      // Kratos allows a minute for a cookie that it cannot even decode.
      if (request.headers.cookie === alice) whoami(request, response)
      else response.writeHead(401, { 'ory-session-cache-for': '60' }).end('{}')
    })
    const small = { authenticators: [{ handler: 'cookie_session', config: { cache: { ttl: '1h', max_entries: 10 } } }] }
    await using test = await loadStd({ store: store.url, rules: [rule('/admin<(/.*)?>', small)] })
    await test.gateway.decide(admin({ Cookie: alice }))
    const statuses = new Set<number>()
    for (let wave = 0; wave < 20; wave++) {
      const flood = Array.from({ length: 100 }, async (_, index) =>
        test.gateway.decide(admin({ Cookie: `ory_kratos_session=made-up-${wave}-${index}` })),
      )
      for (const decision of await Promise.all(flood)) statuses.add(statusOf(decision))
    }
    expect(statuses).toEqual(new Set([401]))
    const calls = store.requests.length
    expect(claimsOf(await test.gateway.decide(admin({ Cookie: alice }))).sub).toBe('alice')
    expect(store.requests).toHaveLength(calls)
  })

  it('cache-014: a role that has changed in the session store is in the token when the session is asked for again', async () => {
    let role = 'user'
    await using store = await startServer((_request, response) =>
      response.end(JSON.stringify(sessionOf('alice', { identity: { id: 'alice', metadata_public: { role } } }))),
    )
    const claims = { role: '{{ extra.identity.metadata_public.role }}' }
    const short = { handler: 'cookie_session', config: { cache: { ttl: '200ms' } } }
    await using test = await loadStd({
      store: store.url,
      rules: [rule('/a', { authenticators: [short], mutators: [{ handler: 'id_token', config: { claims } }] })],
    })
    const ask = async () => claimsOf(await test.gateway.decide(at('http://gw.example/a', { Cookie: alice })))['role']
    expect(await ask()).toBe('user')
    role = 'none'
    await vi.waitFor(async () => expect(await ask()).toBe('none'), { timeout: 5000, interval: 20 })
  })
})

describe('a config with sessions kept', () => {
  it('keeps one user’s Set-Cookie from every other answer', async () => {
    await using store = await startServer((_request, response) => {
      response.setHeader('set-cookie', 'ory_kratos_session=refreshed')
      response.end(JSON.stringify(sessionOf('alice')))
    })
    await using test = await loadStd({ store: store.url, rules })
    const cookies = async () => {
      const decision = await test.gateway.decide(admin({ Cookie: alice }))
      return decision.allowed ? decision.responseHeaders : undefined
    }
    expect(await cookies()).toEqual([['Set-Cookie', 'ory_kratos_session=refreshed']])
    expect(await cookies()).toEqual([])
  })

  it('survives a reload without asking again', async () => {
    await using store = await startServer(whoami)
    await using test = await loadStd({ store: store.url, rules })
    await test.gateway.decide(admin({ Cookie: alice }))
    await test.gateway.reload()
    expect(claimsOf(await test.gateway.decide(admin({ Cookie: alice }))).sub).toBe('alice')
    expect(store.requests).toHaveLength(1)
  })
})
