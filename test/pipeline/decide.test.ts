/** How the steps of a rule lead to a decision: Oathkeeper's cases, through the gateway. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadGateway } from '../support/gateway.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'
import { vectors } from '../rules/vectors.ts'
import { answerOf, loadRule, refused, resultOf, type RuleParts, ruleOf, scripted, statusOf } from './scenario.ts'

interface When {
  readonly method?: string
  readonly url?: string
  readonly headers?: Record<string, string>
}

const inbound = ({ method = 'GET', url = 'http://localhost', headers = {} }: When) =>
  inboundOf(url, { method, headers })

describe('which authenticator ends the chain', () => {
  interface Given {
    readonly authenticators: readonly {
      readonly result?: string
      readonly handler?: string
      readonly config?: object
    }[]
    readonly session_store?: { readonly status: number; readonly body?: unknown } | null
  }
  interface Expect {
    readonly status: number
    readonly message?: string
    readonly ran?: readonly number[]
    readonly subject?: string
  }

  /** Deliberate differences: what holds here instead, and why. */
  const differences: Readonly<Record<string, Partial<Expect>>> = {
    // An outage of the session store is never told as a refusal.
    'authenticator-error-fallthrough-019': { status: 503 },
  }

  const scriptOf = (result: string, mark: number): object => {
    if (result === 'unknown_handler') return { handler: 'unknown' }
    if (result === 'disabled') return { handler: 'noop' }
    if (result === 'ok') return { handler: 'scripted', config: { mark } }
    if (result === 'not_responsible') return { handler: 'scripted', config: { mark, outcome: 'not_responsible' } }
    return { handler: 'scripted', config: { mark, outcome: 'denied', status: Number(result) } }
  }

  it.each(vectors('authenticator_error_fallthrough'))('$id', async (vector) => {
    const given = vector.given as unknown as Given
    const wanted = { ...(vector.expect as unknown as Expect), ...differences[vector.id] }
    await using store = await startServer((_request, response) => {
      response.writeHead(given.session_store?.status ?? 500).end(JSON.stringify(given.session_store?.body ?? {}))
    })
    const authenticators = given.authenticators.map(({ result, handler, config }, index) =>
      result === undefined ? { handler, config: atStore(config, store.url) } : scriptOf(result, index),
    ) as RuleParts['authenticators']
    const ran: unknown[] = []
    const on = { enabled: true }
    await using test = await loadGateway({
      config: {
        authenticators: {
          anonymous: on,
          scripted: on,
          cookie_session: { enabled: true, config: { check_session_url: store.url } },
          noop: { enabled: false },
        },
        authorizers: { allow: on },
        mutators: { noop: on },
        errors: { handlers: { json: { enabled: true, config: { verbose: true } } } },
      },
      rules: [ruleOf({ authenticators })],
      handlers: scripted(ran),
    })
    const decision = await test.gateway.decide(inbound(vector.when))
    const { message = '', ...parts } = wanted
    const [subject, body] = decision.allowed ? [decision.session.subject, ''] : [undefined, decision.answer.body]
    expect({ status: statusOf(decision), ran, subject }).toMatchObject(parts)
    expect(body).toContain(message)
  })

  function atStore(config: object | undefined, url: string): object {
    return JSON.parse(JSON.stringify(config ?? {}).replace('http://kratos', url)) as object
  }

  it('leaves Kratos’ demand for a second factor as it is', async () => {
    const body = JSON.stringify({ error: { id: 'session_aal2_required', code: 403 }, redirect_browser_to: '/aal2' })
    await using store = await startServer((_request, response) => response.writeHead(403).end(body))
    const config = { check_session_url: store.url }
    await using test = await loadRule({ authenticators: [{ handler: 'cookie_session', config }, 'anonymous'] })
    const decision = await test.gateway.decide(inbound({ headers: { Cookie: 'session=a' } }))
    expect(answerOf(decision)).toMatchObject({ status: 403, body })
    expect(refused(decision).error.code).toBe('session_aal2_required')
  })
})

describe('a rule that is not whole', () => {
  it.each(vectors('pipeline_configuration_errors'))('$id', async ({ given, when, expect: wanted }) => {
    const { authorizer, mutators, authenticators, errors } = given as RuleParts
    const handlerOf = (part: unknown): never => (part === 'disabled' ? 'cookie' : part) as never
    await using test = await loadRule(
      {
        authenticators,
        authorizer: authorizer === 'disabled' ? 'deny' : authorizer,
        mutators: mutators?.map(handlerOf) ?? null,
        errors,
      },
      {
        ...(authorizer === 'disabled' && { authorizers: { allow: { enabled: true }, deny: { enabled: false } } }),
        ...(mutators?.includes('disabled') === true && { mutators: { noop: { enabled: true } } }),
      },
    )
    expect(statusOf(await test.gateway.decide(inbound(when)))).toBe(wanted['status'])
  })

  it('is told at its place, and a missing authorizer once', async () => {
    await using test = await loadRule({ authorizer: null })
    expect(test.gateway.problems).toMatchObject([
      { severity: 'error', message: 'Value of "authorizer.handler" can not be empty.', place: { line: 2 } },
    ])
  })
})

describe('simple handlers', () => {
  it.each(vectors('simple_authenticators'))('$id', async ({ given, when, expect: wanted }) => {
    const { handler, config } = given as { handler: string; config: object }
    await using test = await loadRule({ authenticators: [{ handler, config }] })
    expect(resultOf(await test.gateway.decide(inbound(when)))).toMatchObject(wanted)
  })

  it.each(vectors('authorizer_simple'))('$id', async ({ given, expect: wanted }) => {
    await using test = await loadRule({ authorizer: given['handler'] as string })
    expect(statusOf(await test.gateway.decide(inbound({})))).toBe(wanted['error_status'] ?? 200)
  })

  it('noop authenticates nobody and still runs the rest', async () => {
    await using test = await loadRule({ authenticators: ['noop'], authorizer: 'deny' })
    expect(statusOf(await test.gateway.decide(inbound({})))).toBe(403)
  })
})

describe('any rule and any request', () => {
  const references = fc.array(
    fc.oneof(
      fc.constantFrom(
        'anonymous',
        'noop',
        'unauthorized',
        'allow',
        'deny',
        'failing',
        'json',
        'redirect',
        'unknown',
        '',
      ),
      fc.record({
        handler: fc.constantFrom('scripted', 'header', 'cookie', 'redirect', 'json', 'anonymous', 'cookie_session'),
        config: fc.oneof(
          fc.record({
            outcome: fc.constantFrom('authenticated', 'not_responsible', 'denied', 'fault'),
            status: fc.constantFrom(400, 401, 403, 404, 429, 500, 503),
          }),
          fc.record({ headers: fc.dictionary(fc.string(), fc.string()) }),
          fc.constantFrom(
            { headers: { 'X-A': '{{ .Extra.a.b }}', 'X-B': '{{ .MatchContext.URL }}' } },
            { headers: { 'X-A': '{{ .Subject' } },
            { cookies: { a: '{{ index .MatchContext.RegexpCaptureGroups 5 }}' } },
            { when: [{ error: ['unauthorized'] }] },
            { to: 'http://[', code: 299 },
          ),
          fc.jsonValue(),
        ),
      }),
    ),
    { maxLength: 3 },
  )
  const rules = fc.record({
    authenticators: references,
    authorizer: references.map(([first]) => first ?? null),
    mutators: references,
    errors: fc.option(references),
  })
  const pattern = fc.constantFrom('<.*>', '<(a+)+>', '<', 'http://h/<(?<n>.)\\1>', 'http://h/<[0-9]>')
  const inbounds = fc.record({
    method: fc.constantFrom('GET', 'POST', 'BREW'),
    scheme: fc.constantFrom('http', 'https', 'ws'),
    host: fc.string(),
    path: fc.string().map((text) => `/${text}`),
    target: fc.webPath().map((path) => `/${path}`),
    query: fc.string(),
    remoteAddress: fc.constantFrom('127.0.0.1', '::1', 'nowhere', ''),
    headers: fc.dictionary(
      fc.constantFrom('cookie', 'authorization', 'accept', 'x-forwarded-for', 'x-forwarded-uri'),
      fc.string(),
    ),
  })

  it('come to a decision', async () => {
    await fc.assert(
      fc.asyncProperty(rules, pattern, fc.array(inbounds, { minLength: 1, maxLength: 5 }), async (parts, url, many) => {
        const rule = { ...ruleOf(parts), match: { url, methods: ['GET', 'POST'] } }
        const on = { enabled: true }
        await using test = await loadGateway({
          config: {
            authenticators: { anonymous: on, noop: on, scripted: on },
            authorizers: { allow: on, deny: on },
            mutators: { noop: on, failing: on, header: { enabled: true, config: { headers: {} } } },
            errors: { handlers: { redirect: { enabled: true, config: { to: '/login' } } } },
          },
          rules: [rule],
          handlers: scripted(),
        })
        for (const { headers, ...line } of many) {
          const decision = await test.gateway.decide({ ...line, headers: inboundOf('http://h/', { headers }).headers })
          expect(decision.allowed || decision.answer.status >= 300).toBe(true)
          expect(['the-rule', undefined]).toContain(decision.ruleId)
        }
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})
