/** Attacks on whose session a request gets, and failures of the session store, on a whole gateway. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/index.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { claimsOf, HOUR, idsOf, loadStd, rule, sessionOf, startStd, vector, whoami } from './setup.ts'

const alice = 'ory_kratos_session=ALICE'
const admin = (headers: Record<string, string>) => inboundOf('http://gw.example/admin/x', { headers })
const statusOf = (decision: Decision): number => (decision.allowed ? 200 : decision.answer.status)

/** What the client and the log learn of a refusal, and whether the client learns where the store is. */
function seenOf(decision: Decision): object {
  if (decision.allowed) return {}
  const { status, headers, body } = decision.answer
  const retryAfter = headers.find(([name]) => name === 'Retry-After')?.[1]
  return { code: decision.error.code, status, retryAfter, leaks: /127\.0\.0\.1|sessions|whoami/.test(body) }
}
const outage = { code: 'session_store_unavailable', status: 503, retryAfter: '1', leaks: false }

describe('cache-confusion', () => {
  it('cache-001: each cookie leads to its own user', async () => {
    await using store = await startServer(whoami)
    await using test = await loadStd({ store: store.url })
    const subjects = await Promise.all(
      ['ALICE', 'BOB', 'ALICE', 'BOB'].map(async (name) =>
        claimsOf(await test.gateway.decide(admin({ Cookie: `ory_kratos_session=${name}` }))),
      ),
    )
    expect(subjects.map(({ sub }) => sub)).toEqual(['alice', 'bob', 'alice', 'bob'])
  })

  it('cache-002: the store sees the one credential that was chosen', async () => {
    await using store = await startServer(whoami)
    await using test = await loadStd({ store: store.url })
    await test.gateway.decide(admin({ Cookie: alice }))
    const headers = { Cookie: alice, 'X-Session-Token': 'BOB', Authorization: 'Bearer BOB' }
    expect(claimsOf(await test.gateway.decide(admin(headers))).sub).toBe('alice')
    expect(
      store.requests.map(({ headers: sent }) => [sent.cookie, sent['x-session-token'], sent.authorization]),
    ).toEqual(Array.from({ length: 2 }, () => [alice, undefined, undefined]))
  })

  it('cache-004: questions that read alike when run together are told apart', async () => {
    const answers: (() => void)[] = []
    await using store = await startServer((request, response) => {
      const known = request.url === '/c%7Cd' && request.headers.authorization === 'Bearer ab'
      answers.push(() => response.writeHead(known ? 200 : 401).end(JSON.stringify(sessionOf('alice'))))
      if (answers.length === 2) for (const answer of answers) answer()
    })
    const at = (path: string) => [
      { handler: 'bearer_token', config: { check_session_url: store.url + path, subject_from: 'identity.id' } },
    ]
    await using test = await loadStd({
      store: store.url,
      rules: [rule('/a', { authenticators: at('/c%7Cd') }), rule('/b', { authenticators: at('/d') })],
    })
    const ask = (path: string, token: string) =>
      test.gateway.decide(inboundOf(`http://gw.example${path}`, { headers: { Authorization: `Bearer ${token}` } }))
    const decisions = await Promise.all([ask('/a', 'ab'), ask('/b', 'ab|c')])
    expect(decisions.map(statusOf)).toEqual(vector('cache-004').expect.status)
  })

  it('cache-007: the host is part of the question where the store is told it', async () => {
    const waiting: (() => void)[] = []
    await using store = await startServer((request, response) => {
      const known = request.headers['x-forwarded-host'] === 't1.example'
      waiting.push(() => response.writeHead(known ? 200 : 401).end(JSON.stringify(sessionOf('alice'))))
      if (waiting.length === 2) for (const answer of waiting) answer()
    })
    const authenticators = [{ handler: 'cookie_session', config: { preserve_host: true } }]
    const tenants = { ...rule('', { authenticators }), match: { url: 'http://<t1|t2>.example/', methods: ['GET'] } }
    await using test = await loadStd({ store: store.url, rules: [tenants] })
    const ask = (host: string) => test.gateway.decide(inboundOf(`http://${host}/`, { headers: { Cookie: alice } }))
    const decisions = await Promise.all([ask('t1.example'), ask('t2.example')])
    expect(decisions.map(statusOf)).toEqual(vector('cache-007').expect.status)
  })

  it.each([
    ['cache-008', 'revoked', 401, {}],
    ['cache-010', 'not strong enough any more', 403, { error: { id: 'session_aal2_required' } }],
  ])('%s: a session that is %s ends with the next request', async (id, _what, status, body) => {
    let ended = false
    await using store = await startServer((request, response) => {
      if (ended) response.writeHead(status).end(JSON.stringify(body))
      else whoami(request, response)
    })
    await using test = await loadStd({ store: store.url })
    const first = await test.gateway.decide(admin({ Cookie: alice }))
    ended = true
    const second = await test.gateway.decide(admin({ Cookie: alice }))
    expect([first, second].map(statusOf)).toEqual(vector(id).expect.status)
  })

  it('cache-013: the claims are always those of the rule that matched', async () => {
    await using store = await startServer(whoami)
    const as = (role: string) => ({ mutators: [{ handler: 'id_token', config: { claims: { role } } }] })
    await using test = await loadStd({ store: store.url, rules: [rule('/a', as('reader')), rule('/b', as('writer'))] })
    const roles = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const inbound = inboundOf(`http://gw.example/${index % 2 === 0 ? 'a' : 'b'}`, { headers: { Cookie: alice } })
        return claimsOf(await test.gateway.decide(inbound))['role']
      }),
    )
    expect(roles).toEqual(roles.map((_, index) => (index % 2 === 0 ? 'reader' : 'writer')))
  })

  it('cache-014: a changed role is in the next token', async () => {
    let role = 'user'
    await using store = await startServer((_request, response) => {
      response.end(JSON.stringify(sessionOf('alice', { identity: { id: 'alice', metadata_public: { role } } })))
    })
    const claims = { role: '{{ extra.identity.metadata_public.role }}' }
    const rules = [rule('/a', { mutators: [{ handler: 'id_token', config: { claims } }] })]
    await using test = await loadStd({ store: store.url, rules })
    const ask = async () =>
      claimsOf(await test.gateway.decide(inboundOf('http://gw.example/a', { headers: { Cookie: alice } })))['role']
    expect(await ask()).toBe('user')
    role = 'none'
    expect(await ask()).toBe('none')
  })

  it('cache-016: the name of the cookie is a part of the credential', async () => {
    await using store = await startServer(whoami)
    await using test = await loadStd({ store: store.url })
    const decisions = [
      await test.gateway.decide(admin({ Cookie: alice })),
      await test.gateway.decide(admin({ Cookie: 'theme=ALICE' })),
    ]
    expect(decisions.map(statusOf)).toEqual(vector('cache-016').expect.status)
  })

  it('cache-018: a client that goes away does not fail another that waits for the same answer', async () => {
    let asked: (response: ServerResponse) => void = () => undefined
    const arrived = new Promise<ServerResponse>((resolve) => {
      asked = resolve
    })
    await using store = await startServer((_request, response) => asked(response))
    await using listening = await startStd({ store: store.url })
    const first = await openClient(listening.addresses.proxy.port)
    first.write(`GET /admin/x HTTP/1.1\r\nHost: gw.example\r\nCookie: ${alice}\r\n\r\n`)
    const held = await arrived
    const second = listening.gateway.decide(admin({ Cookie: alice }))
    first.close()
    await first.closed
    held.end(JSON.stringify(sessionOf('alice')))
    expect(claimsOf(await second).sub).toBe('alice')
    expect(store.requests).toHaveLength(1)
  })

  it('cache-021: refusals and redirects are for no cache', async () => {
    await using store = await startServer(whoami)
    for (const handler of ['json', 'redirect', 'www_authenticate']) {
      const redirect = { enabled: true, config: { to: '/login' } }
      const handlers = { json: { enabled: true }, redirect, www_authenticate: { enabled: true } }
      await using listening = await startStd({ store: store.url, errors: { fallback: [handler], handlers } })
      const bytes = 'GET /admin/a.css HTTP/1.1\r\nHost: gw.example\r\n\r\n'
      const response = await sendRaw(listening.addresses.proxy.port, bytes)
      expect([302, 401]).toContain(response.status)
      expect(response.header('cache-control')).toBe('no-store')
    }
  })

  it('the others are held elsewhere', () => {
    const here = ['001', '002', '004', '007', '008', '010', '013', '014', '016', '018', '021']
    // 015: how long a token that is handed out still lives is a matter of test/tokens. 019: session_cache.test.ts.
    const elsewhere = ['015', '019']
    expect(idsOf('cache-confusion')).toEqual([...here, ...elsewhere].toSorted().map((id) => `cache-${id}`))
  })
})

describe('reliability of the session store', () => {
  type Respond = (response: ServerResponse, request: IncomingMessage) => void
  const ask = async (respond: Respond, path = '/admin/x'): Promise<Decision> => {
    await using store = await startServer((request, response) => respond(response, request))
    await using test = await loadStd({ store: store.url })
    return test.gateway.decide(inboundOf(`http://gw.example${path}`, { headers: { Cookie: alice } }))
  }

  it('rel-002: nobody listens', async () => {
    const gone = await startServer(whoami)
    await gone[Symbol.asyncDispose]()
    await using test = await loadStd({ store: gone.url })
    expect(seenOf(await test.gateway.decide(admin({ Cookie: alice })))).toEqual(outage)
  })

  it('rel-004: a login page authenticates nobody', async () => {
    expect(
      seenOf(await ask((response) => response.setHeader('content-type', 'text/html').end('<html>login</html>'))),
    ).toEqual(outage)
  })

  it.each([
    ['not active', { active: false }, 401],
    ['past', { expires_at: new Date(Date.now() - HOUR).toISOString() }, 401],
    ['of an inactive identity', { identity: { id: 'alice', state: 'inactive' } }, 401],
    ['without active', { active: undefined }, 503],
    ['without an end', { expires_at: undefined }, 503],
    ['without an identity', { identity: {} }, 503],
  ])('rel-006: a session that is %s does not count', async (_name, changes, status) => {
    expect(statusOf(await ask((response) => response.end(JSON.stringify(sessionOf('alice', changes)))))).toBe(status)
  })

  it('rel-007: an endless answer is not read', async () => {
    let sent = 0
    const chunk = 'x'.repeat(64 * 1024)
    const decision = await ask((response) => {
      const more = (): void => {
        while (!response.destroyed) {
          sent += chunk.length
          if (!response.write(chunk)) break
        }
      }
      response.on('drain', more)
      more()
    })
    expect(seenOf(decision)).toEqual(outage)
    // The gateway reads 256 KiB; the rest are the buffers of two sockets.
    expect(sent).toBeLessThan(16 * 1024 * 1024)
  })

  it('rel-008: a redirect elsewhere is not followed', async () => {
    await using elsewhere = await startServer(whoami)
    expect(seenOf(await ask((response) => response.writeHead(302, { location: elsewhere.url }).end()))).toEqual(outage)
    expect(elsewhere.requests).toHaveLength(0)
  })

  it('rel-011, rule-007: an answer that drips, or never comes, is an outage, also where anonymous would be next', async () => {
    const drip: Respond = (response) => {
      const timer = setInterval(() => response.write(' '), 200)
      response.on('close', () => clearInterval(timer))
    }
    const decisions = await Promise.all([ask(drip), ask(() => undefined, '/mixed')])
    expect(decisions.map(seenOf)).toEqual([outage, outage])
  })

  it('rel-012: a thousand requests with one cookie are one question', async () => {
    let release: (() => void) | undefined
    await using store = await startServer((request, response) => {
      release = () => whoami(request, response)
      setImmediate(release)
    })
    await using test = await loadStd({ store: store.url })
    const decisions = await Promise.all(
      Array.from({ length: 1000 }, async () => test.gateway.decide(admin({ Cookie: alice }))),
    )
    expect(new Set(decisions.map((decision) => claimsOf(decision).sub))).toEqual(new Set(['alice']))
    expect(store.requests).toHaveLength(1)
  })
})
