/** What Oathkeeper's advisories were about, on exact bytes against a running gateway. */
import { describe, expect, it } from 'vitest'
import { startGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { startRecorder } from '../support/recorder.ts'
import { vectors } from '../rules/vectors.ts'

const cases = vectors('security_regressions')
const on = { enabled: true }
const config = {
  authenticators: { anonymous: on },
  authorizers: { allow: on, deny: on },
  mutators: { noop: on },
}

/** A rule from its abbreviation: pattern, an authenticator or none, an authorizer. */
function ruleFrom(text: string, upstream: string): object {
  const [url = '', ...handlers] = text.split(' ')
  return {
    id: url,
    match: { url, methods: ['GET'] },
    authenticators: [{ handler: 'anonymous' }],
    authorizer: { handler: handlers.at(-1) },
    mutators: [{ handler: 'noop' }],
    upstream: { url: upstream },
  }
}

async function ask(target: string, headers: Record<string, string>, rules: readonly string[], serve: object = {}) {
  const upstream = await startRecorder()
  await using listening = await startGateway({
    config: { ...config, serve: { proxy: { host: '127.0.0.1', port: 0, ...serve } } },
    rules: rules.map((text) => ruleFrom(text, upstream.origin)),
  })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const bytes = `GET ${target} HTTP/1.1\r\nHost: h\r\n${lines.join('')}\r\n`
  const response = await sendRaw(listening.addresses.proxy.port, bytes)
  await upstream.close()
  return { response, requests: upstream.requests }
}

describe('security_regressions', () => {
  const withRules = cases.filter(({ given }) => given['rules'] !== undefined)
  const withHeaders = cases.filter(({ expect: wanted }) => wanted['upstream_absent_headers'] !== undefined)
  const withCors = cases.filter(({ given }) => given['cors'] !== undefined)

  it('every case is one of three kinds', () => {
    expect([...withRules, ...withHeaders, ...withCors]).toHaveLength(cases.length)
  })

  it.each(withRules)('$id', async ({ given, when, expect: wanted }) => {
    const { response, requests } = await ask(when['path'] as string, {}, given['rules'] as string[])
    expect(response.status).toBe(wanted['status'])
    expect(requests).toEqual([])
  })

  it.each(withHeaders)('$id', async ({ when, expect: wanted }) => {
    const { response, requests } = await ask('/', when['headers'] as Record<string, string>, ['http://h/ allow'])
    expect(response.status).toBe(200)
    for (const name of wanted['upstream_absent_headers'] as string[]) expect(requests[0]?.all(name)).toEqual([])
  })

  it.each(withCors)('$id', async ({ given, when, expect: wanted }) => {
    const origin = when['origin'] as string
    const cors = { enabled: true, ...(given['cors'] as object) }
    const { response } = await ask('/', { Origin: origin }, ['http://h/ allow'], { cors })
    expect(response.header('access-control-allow-origin')).toBe(wanted['allowed'] === true ? origin : undefined)
  })
})
