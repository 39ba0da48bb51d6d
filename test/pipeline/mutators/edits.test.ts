/** What `header`, `cookie` and `noop` send to the upstream: Oathkeeper's cases, through the gateway. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/pipeline/contract/decision.ts'
import { startGateway } from '../../support/gateway.ts'
import { inboundOf } from '../../support/inbound.ts'
import { startRecorder } from '../../support/recorder.ts'
import { sendRaw } from '../../support/raw-client.ts'
import { vectors, type Vector } from '../../rules/vectors.ts'
import { allowed, answerOf, editsOf, loadRule, refused, ruleOf, type RuleParts } from '../scenario.ts'

interface Given {
  readonly headers?: Record<string, string>
  readonly cookies?: Record<string, string>
  /** A whole config, for cases whose config is wrong. */
  readonly config?: object
  readonly session?: { readonly subject?: string; readonly extra?: object }
}

const verbose = { errors: { handlers: { json: { enabled: true, config: { verbose: true } } } } }

async function mutate(handler: string, vector: Vector, key: 'headers' | 'cookies'): Promise<Decision> {
  const { session = {}, config, ...parts } = vector.given as unknown as Given
  await using test = await loadRule(
    {
      authenticators: [{ handler: 'scripted', config: session }],
      mutators: [{ handler, config: config ?? { [key]: parts[key] } }],
    },
    verbose,
  )
  const headers = (vector.when['request_headers'] ?? {}) as Record<string, string>
  return test.gateway.decide(inboundOf('http://gw.example/', { headers }))
}

const isFailing = ({ expect: wanted }: Vector): boolean => wanted['error_status'] !== undefined

const refusalOf = ({ expect: wanted }: Vector): object => ({
  status: wanted['error_status'],
  body: expect.stringContaining((wanted['message'] as string | undefined) ?? '') as unknown,
})

const lowerCased = (headers: object): object =>
  Object.fromEntries(Object.entries(headers).map(([name, value]: [string, unknown]) => [name.toLowerCase(), value]))

describe('header_mutator', () => {
  const cases = vectors('header_mutator')
  const cached = cases.filter(({ given }) => given['cached_template'] !== undefined)

  const failing = cases.filter(isFailing)

  it.each(cases.filter((vector) => !cached.includes(vector) && !isFailing(vector)))('$id', async (vector) => {
    const decision = await mutate('header', vector, 'headers')
    expect(editsOf(decision)).toEqual(lowerCased(vector.expect['session_headers'] as object))
  })

  it.each(failing)('$id', async (vector) => {
    expect(await mutate('header', vector, 'headers').then(answerOf)).toMatchObject(refusalOf(vector))
  })

  // Oathkeeper keeps the first template of a rule and header for ever; here an edited rule takes effect.
  it.each(cached)('$id', async ({ given, expect: wanted }) => {
    const { text, header } = given['cached_template'] as { text: string; header: string }
    const rule = (template: string) =>
      ruleOf({ mutators: [{ handler: 'header', config: { headers: { [header]: template } } }] })
    await using test = await loadRule({ mutators: [{ handler: 'header', config: { headers: { [header]: text } } }] })
    const sent = async () => editsOf(await test.gateway.decide(inboundOf('http://h/')))[header.toLowerCase()]
    expect(await sent()).toBe(text)
    test.write('rules.json', [rule((given['headers'] as Record<string, string>)[header] ?? '')])
    await test.gateway.reload()
    expect(await sent()).toBe(wanted['desired_result'])
  })

  it('refuses a value that would end the header line', async () => {
    await using test = await loadRule({
      authenticators: [{ handler: 'scripted', config: { subject: 'a\r\nX-Admin: 1' } }],
      mutators: [{ handler: 'header', config: { headers: { 'X-User': '{{ .Subject }}' } } }],
    })
    const { error } = refused(await test.gateway.decide(inboundOf('http://h/')))
    expect(error.code).toBe('template_failed')
    expect(error.detail).not.toContain('X-Admin')
  })
})

describe('cookie_mutator', () => {
  const cases = vectors('cookie_mutator')

  it.each(cases.filter(isFailing))('$id', async (vector) => {
    expect(await mutate('cookie', vector, 'cookies').then(answerOf)).toMatchObject(refusalOf(vector))
  })

  it.each(cases.filter((vector) => !isFailing(vector)))('$id', async (vector) => {
    const decision = await mutate('cookie', vector, 'cookies')
    const { cookie = '' } = editsOf(decision)
    const unquoted = (value: string): string => value.replaceAll('"', '')
    const pairs = (cookie ?? '').split('; ').map((pair) => pair.split('=') as [string, string])
    expect(Object.fromEntries(pairs.map(([name, value]) => [name, unquoted(value)]))).toEqual(vector.expect['cookies'])
    expect(pairs).toHaveLength(Object.keys(vector.expect['cookies'] as object).length)
    expect(cookie).toBe(vector.expect['header_form'] ?? cookie)
  })

  it('does not bring back the session cookies that the profile secure takes out', async () => {
    const parts: RuleParts = {
      authenticators: ['anonymous', { handler: 'cookie_session', config: { only: ['login'] } }],
      mutators: [{ handler: 'cookie', config: { cookies: { user: '{{ .Subject }}' } } }],
    }
    await using test = await loadRule(parts, { profile: 'secure' })
    const headers = { Cookie: 'ory_kratos_session=secret; theme=dark; login=secret' }
    const { cookie } = editsOf(await test.gateway.decide(inboundOf('http://h/', { headers })))
    expect(cookie).toBe('user=anonymous; theme=dark')
  })
})

describe('noop_mutator', () => {
  const first = 'noop-mutator-002'
  const multi = 'noop-mutator-003'

  it(`${first}: what was set before stays, and the request’s own headers are told to /decisions`, async () => {
    const { given, when, expect: wanted } = vectors('noop_mutator').find(({ id }) => id === first) as Vector
    const [[name, [value]]] = Object.entries(given['session_headers'] as object) as [[string, [string]]]
    await using test = await loadRule({
      mutators: [{ handler: 'header', config: { headers: { [name]: value } } }, 'noop'],
    })
    const headers = when['request_headers'] as Record<string, string[]>
    const inbound = inboundOf('http://h/', { headers })
    const decision = allowed(await test.gateway.decide(inbound))
    expect(decision.echoRequestHeaders).toBe(true)
    const told = { ...lowerCased(headers), ...Object.fromEntries(decision.edits.map(([key, text]) => [key, [text]])) }
    expect(told).toEqual(lowerCased(wanted['session_headers_include'] as object))
  })

  // A deliberate difference: nothing asked for the other values to be lost.
  it(`${multi}: a header with several values keeps them`, async () => {
    const { when } = vectors('noop_mutator').find(({ id }) => id === multi) as Vector
    const { 'X-Multi': values } = when['request_headers'] as { 'X-Multi': string[] }
    const upstream = await startRecorder()
    const rule = { ...ruleOf({}), upstream: { url: upstream.origin } }
    await using listening = await startGateway({
      config: {
        authenticators: { anonymous: { enabled: true } },
        authorizers: { allow: { enabled: true } },
        mutators: { noop: { enabled: true } },
      },
      rules: [rule],
    })
    const lines = values.map((value) => `X-Multi: ${value}\r\n`).join('')
    const bytes = `GET / HTTP/1.1\r\nHost: h\r\n${lines}\r\n`
    expect((await sendRaw(listening.addresses.proxy.port, bytes)).status).toBe(200)
    expect(upstream.requests[0]?.all('x-multi')).toEqual(values)
    await upstream.close()
  })

  it('there are no other cases', () => {
    expect(vectors('noop_mutator').map(({ id }) => id)).toEqual([first, multi])
  })
})
