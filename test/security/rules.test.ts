/** Attacks on the rule engine and the error handlers, on a whole gateway. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/index.ts'
import { loadGateway } from '../support/gateway.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'
import { sendRaw } from '../support/raw-client.ts'
import { scripted } from '../pipeline/scenario.ts'
import { bytesOf, idsOf, loadStd, rule, startStd, vector, whoami } from './setup.ts'

const statusOf = (decision: Decision): number => (decision.allowed ? 200 : decision.answer.status)
const at = (path: string, headers: Record<string, string> = {}) => inboundOf(`http://gw.example${path}`, { headers })
const open = { authenticators: [{ handler: 'anonymous' }], mutators: [{ handler: 'noop' }] }

describe('rule-engine', () => {
  it('rule-002: two rules that match refuse', async () => {
    await using test = await loadStd({
      store: 'http://127.0.0.1:9',
      rules: [rule('/<.*>', open), rule('/admin/<.*>', open)],
    })
    expect(vector('rule-002').expect.status).toContain(statusOf(await test.gateway.decide(at('/admin/x'))))
  })

  it('rule-003: no rule refuses', async () => {
    await using test = await loadStd({ store: 'http://127.0.0.1:9' })
    expect(vector('rule-003').expect.status).toContain(statusOf(await test.gateway.decide(at('/nowhere'))))
  })

  it.each([
    ['rule-004', []],
    ['rule-005', [{ handler: 'cookie_sesion' }]],
    ['rule-005', [{ handler: '' }]],
    ['rule-005', [{}]],
  ])(
    '%s: a rule with the authenticators %j refuses the set, and let through is nobody where it loads',
    async (_id, list) => {
      const rules = [rule('/x', { ...open, authenticators: list })]
      await expect(loadStd({ store: 'http://127.0.0.1:9', rules })).rejects.toMatchObject({ name: 'ProblemsError' })
      const config = { safeguards: { invalid_rules: 'isolate' } }
      await using test = await loadStd({ store: 'http://127.0.0.1:9', rules, config })
      expect(statusOf(await test.gateway.decide(at('/x')))).toBe(500)
      expect(test.gateway.problems.filter(({ severity }) => severity === 'error')).not.toEqual([])
    },
  )

  it('rule-012, rule-013: neither path nor query nor method of the client reach the session store', async () => {
    await using store = await startServer((_request, response) => response.writeHead(401).end('{}'))
    await using test = await loadStd({ store: store.url })
    const cookie = { Cookie: 'ory_kratos_session=x' }
    const inbound = inboundOf('http://gw.example/admin/x?tokenize_as=evil&active=true', {
      method: 'POST',
      headers: cookie,
    })
    expect(statusOf(await test.gateway.decide(inbound))).toBe(401)
    expect(statusOf(await test.gateway.decide(at('/admin/..%2fsessions', cookie)))).toBe(401)
    expect(store.requests.map(({ method, url }) => [method, url])).toEqual(
      Array.from({ length: 2 }, () => ['GET', '/sessions/whoami']),
    )
  })

  it('the others are held elsewhere', () => {
    // 011, 014 and 015 in test/rules/security.test.ts; 007 with the failures of the session store.
    const here = ['002', '003', '004', '005', '012', '013']
    expect(idsOf('rule-engine')).toEqual([...here, '007', '011', '014', '015'].toSorted().map((id) => `rule-${id}`))
  })
})

describe('error-handler', () => {
  const html = [{ error: ['unauthorized'], request: { header: { accept: ['text/html'] } } }]
  const redirect = (when: unknown) => ({ enabled: true, config: { to: 'http://id.example/login', when } })
  const errors = { fallback: ['redirect', 'json'], handlers: { json: { enabled: true }, redirect: redirect(html) } }

  it('err-003: an unknown host is not redirected', async () => {
    await using listening = await startStd({ store: 'http://127.0.0.1:9', errors })
    const response = await sendRaw(listening.addresses.proxy.port, bytesOf('err-003'))
    expect(vector('err-003').expect.status).toContain(response.status)
    expect(response.header('location')).toBeUndefined()
  })

  it('err-004: a refusal says nothing about what is behind', async () => {
    await using store = await startServer(whoami)
    await using listening = await startStd({ store: store.url, errors })
    const response = await sendRaw(listening.addresses.proxy.port, bytesOf('err-004'))
    expect(vector('err-004').expect.status).toContain(response.status)
    expect(response.body.toString()).toBe(
      '{"error":{"code":401,"status":"Unauthorized","message":"The request could not be authorized"}}\n',
    )
    expect(response.header('cache-control')).toBe('no-store')
  })

  it('err-006: a client cannot choose the handler by claiming an address', async () => {
    const when = [{ request: { remote_ip: { match: ['10.0.0.0/8'], respect_forwarded_for_header: true } } }]
    const handlers = { json: { enabled: true }, redirect: redirect(when) }
    await using listening = await startStd({ store: 'http://127.0.0.1:9', errors: { ...errors, handlers } })
    const response = await sendRaw(listening.addresses.proxy.port, bytesOf('err-006'))
    expect(vector('err-006').expect.status).toContain(response.status)
  })

  it('err-007: a long Accept header is read like any other', async () => {
    await using test = await loadStd({ store: 'http://127.0.0.1:9', errors })
    const accept = `*/*;q=${'0'.repeat(5000)}`
    expect(vector('err-007').expect.status).toContain(
      statusOf(await test.gateway.decide(at('/admin/x', { Accept: accept }))),
    )
    // A parser that goes back and forth needs minutes for this one.
    const long = `${'a/b;q=0,'.repeat(200_000)}text/html`
    const start = performance.now()
    expect(statusOf(await test.gateway.decide(at('/admin/x', { Accept: long })))).toBe(302)
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('the others are held elsewhere', () => {
    // 008 is about tokens of the authenticator `jwt`.
    expect(idsOf('error-handler')).toEqual(['err-003', 'err-004', 'err-006', 'err-007', 'err-008'])
  })
})

describe('reliability', () => {
  it('rel-044: a handler that throws fails its own request and no other', async () => {
    const broken = {
      authenticators: [{ handler: 'scripted', config: { outcome: 'fault' } }],
      mutators: [{ handler: 'noop' }],
    }
    await using test = await loadStd({
      store: 'http://127.0.0.1:9',
      rules: [rule('/broken', broken), rule('/whole', open)],
      handlers: scripted(),
      config: { authenticators: { anonymous: { enabled: true }, scripted: { enabled: true } } },
    })
    const [bad, good] = await Promise.all([test.gateway.decide(at('/broken')), test.gateway.decide(at('/whole'))])
    expect([statusOf(bad), statusOf(good)]).toEqual([500, 200])
    expect(bad.allowed || bad.answer.body).not.toContain('plain error')
  })

  it('rel-033: nothing starts on rules that are invalid', async () => {
    await expect(loadGateway({ config: { profile: 'secure' }, rules: [{ id: 'half' }] })).rejects.toMatchObject({
      name: 'ProblemsError',
    })
  })
})
