/** `on_error: next`: a refusal is passed on, an outage never is. */
import { describe, expect, it } from 'vitest'
import { allowed, answerOf, loadRule, refused, type RuleParts, statusOf } from './scenario.ts'
import { inboundOf } from '../support/inbound.ts'
import { startServer } from '../support/http_server.ts'

const withCookie = inboundOf('http://h/', { headers: { cookie: 'ory_kratos_session=expired' } })

const denying = (status: number, rest: object = {}): object => ({
  handler: 'scripted',
  config: { outcome: 'denied', status },
  on_error: 'next',
  ...rest,
})

const decideWith = async (authenticators: readonly unknown[], config: object = {}) => {
  const parts = { authenticators } as RuleParts
  await using test = await loadRule(parts, config)
  return { decision: await test.gateway.decide(withCookie), problems: test.gateway.problems }
}

describe('on_error', () => {
  it.each([401, 403])('asks the next authenticator after a refusal with %i', async (status) => {
    const { decision } = await decideWith([denying(status), 'anonymous'])
    expect(allowed(decision).session.subject).toBe('anonymous')
  })

  it('is "refuse" unless the rule says otherwise', async () => {
    const { decision } = await decideWith([denying(401, { on_error: 'refuse' }), 'anonymous'])
    expect(statusOf(decision)).toBe(401)
  })

  it('passes on neither an outage, nor a rate limit, nor a fault', async () => {
    for (const [outcome, status] of [
      ['denied', 429],
      ['fault', 500],
    ] as const) {
      const config = { outcome, status }
      const { decision } = await decideWith([{ handler: 'scripted', config, on_error: 'next' }, 'anonymous'])
      expect(statusOf(decision)).toBe(status)
    }
  })

  it('answers the last refusal when nobody else is responsible', async () => {
    const later = { handler: 'scripted', config: { outcome: 'not_responsible' } }
    const { decision } = await decideWith([denying(401), denying(403), later])
    expect(refused(decision).error.status).toBe(403)
  })

  it('tells a session store that is down from an expired session, and relays what the store set', async () => {
    let status = 401
    await using store = await startServer((_request, response) => {
      response.writeHead(status, { 'set-cookie': 'ory_kratos_session=; Max-Age=0' }).end('{}')
    })
    const config = { check_session_url: `${store.url}/sessions/whoami` }
    const session = { handler: 'cookie_session', config, on_error: 'next' }
    await using test = await loadRule({ authenticators: [session, 'anonymous'] })
    const expired = allowed(await test.gateway.decide(withCookie))
    expect(expired.session.subject).toBe('anonymous')
    expect(expired.responseHeaders).toEqual([['Set-Cookie', 'ory_kratos_session=; Max-Age=0']])
    status = 500
    expect(answerOf(await test.gateway.decide(withCookie)).status).toBe(503)
  })

  it('is warned of where no authenticator comes next', async () => {
    const { problems, decision } = await decideWith(['anonymous', denying(401)])
    expect(statusOf(decision)).toBe(200)
    expect(problems).toEqual([
      expect.objectContaining({ severity: 'warning', message: expect.stringContaining('on_error') as unknown }),
    ])
  })

  it('makes a rule invalid that says something else', async () => {
    const { problems, decision } = await decideWith([denying(401, { on_error: 'ignore' }), 'anonymous'])
    expect(statusOf(decision)).toBe(500)
    expect(problems).toContainEqual(expect.objectContaining({ severity: 'error' }))
  })
})
