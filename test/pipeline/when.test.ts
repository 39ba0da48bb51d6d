/** Which error of which request a handler answers: Oathkeeper's cases, through the gateway. */
import { describe, expect, it } from 'vitest'
import { inboundOf } from '../support/inbound.ts'
import { vectors } from '../rules/vectors.ts'
import { answerOf, loadRule, statusOf } from './scenario.ts'

interface When {
  readonly error?: { readonly status: number } | string
  readonly headers?: Record<string, string>
  readonly remote_addr?: string
}

/** Whether a handler with this condition answers, rather than the fallback. */
async function answers(condition: unknown, { error, headers = {}, remote_addr = '' }: When): Promise<boolean> {
  const config = typeof error === 'object' ? { outcome: 'denied', status: error.status } : { outcome: 'fault' }
  await using test = await loadRule({
    authenticators: [{ handler: 'scripted', config }],
    errors: [{ handler: 'redirect', config: { to: '/chosen', when: condition } }],
  })
  expect(test.gateway.problems).toEqual([])
  const [remoteAddress = ''] = remote_addr.split(':')
  const inbound = inboundOf('http://gw.example/', { headers, ...(remoteAddress !== '' && { remoteAddress }) })
  return answerOf(await test.gateway.decide(inbound)).headers['location'] === '/chosen'
}

describe('error_handler_matching', () => {
  /** Deliberate differences: what holds here instead, and why. */
  const differences: Readonly<Record<string, boolean>> = {
    // 429 has a name of its own, and keeps answering to the one that Oathkeeper's handlers know it by.
    'error-handler-matching-030': true,
    // A Content-Type that is none fits no handler: a client's mistake is not the gateway's failure.
    'error-handler-matching-041': false,
  }

  it.each(vectors('error_handler_matching'))('$id', async ({ id, given, when, expect: wanted }) => {
    expect(await answers(given['when'], when)).toBe(differences[id] ?? wanted['match'])
  })

  it.each([
    ['429', 429, 'too_many_requests'],
    ['an outage', 503, 'service_unavailable'],
  ])('%s goes to the handler that names it before the one for all failures', async (_name, status, own) => {
    const on = (error: string, to: string) => ({ handler: 'redirect', config: { to, when: [{ error: [error] }] } })
    const json = { handler: 'json', config: { when: [{ error: ['internal_server_error'] }] } }
    await using test = await loadRule({
      authenticators: [{ handler: 'scripted', config: { outcome: 'denied', status } }],
      errors: [json, on(own, '/precise')],
    })
    expect(answerOf(await test.gateway.decide(inboundOf('http://h/'))).headers['location']).toBe('/precise')
  })

  it('cidr and remote_ip look at the peer, and at X-Forwarded-For when told to', async () => {
    const error = { status: 401 }
    const peer = { error, remote_addr: '10.1.2.3:1' }
    const behind = { error, remote_addr: '192.0.2.1:1', headers: { 'X-Forwarded-For': '198.51.100.1, 10.9.9.9' } }
    const remoteIp = (respect: boolean) => [
      { request: { remote_ip: { match: ['10.0.0.0/8'], respect_forwarded_for_header: respect } } },
    ]
    expect(await answers([{ request: { cidr: ['10.0.0.0/8'] } }], peer)).toBe(true)
    expect(await answers([{ request: { cidr: ['fd00::/8'] } }], peer)).toBe(false)
    expect(await answers([{ request: { cidr: ['10.0.0.0/8'] } }], behind)).toBe(false)
    expect(await answers(remoteIp(false), behind)).toBe(false)
    expect(await answers(remoteIp(true), behind)).toBe(true)
  })
})

describe('mime_matching', () => {
  const request = (value: string, name: string) => ({ error: { status: 401 }, headers: { [name]: value } })

  it.each(vectors('mime_matching'))('$id', async ({ given, when, expect: wanted }) => {
    const types = given['handler_types']
    const value = when['request_value'] as string
    const condition = (name: string) => [{ request: { header: { [name]: types } } }]
    expect(await answers(condition('accept'), request(value, 'Accept'))).toBe(wanted['match'])
    expect(await answers(condition('content_type'), request(value, 'Content-Type'))).toBe(wanted['match'])
  })
})

describe('an outage', () => {
  const outage = { handler: 'scripted', config: { outcome: 'denied', status: 503 } }
  const ask = async (errors: readonly object[], fallback: readonly string[]) => {
    const handlers = { redirect: { enabled: true, config: { to: '/login' } }, www_authenticate: { enabled: true } }
    await using test = await loadRule(
      { authenticators: [outage], errors: errors as never },
      { errors: { fallback, handlers } },
    )
    return test.gateway.decide(inboundOf('http://h/'))
  }

  it.each(['redirect', 'www_authenticate'])('is not told as a refusal by %s', async (handler) => {
    expect(statusOf(await ask([{ handler }], ['json']))).toBe(503)
    expect(statusOf(await ask([{ handler }], [handler]))).toBe(503)
  })

  it('goes where the config says that outages go', async () => {
    const config = { to: '/maintenance', when: [{ error: ['service_unavailable'] }] }
    expect(answerOf(await ask([{ handler: 'redirect', config }], ['json'])).headers['location']).toBe('/maintenance')
  })
})
