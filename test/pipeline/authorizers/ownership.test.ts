import { describe, expect, it } from 'vitest'
import { startGateway } from '../../support/gateway.ts'
import { startService } from '../../support/service.ts'

describe('a header that an authorizer sets', () => {
  it.each([
    ['oathkeeper', '/asks', 'from-service'],
    ['secure', '/asks', 'from-service'],
    ['secure', '/open', undefined],
  ])('in profile %s on %s reaches the upstream as %s, whatever the client says', async (profile, path, expected) => {
    await using service = await startService(() => ({ headers: { 'X-Role': 'from-service' } }))
    await using upstream = await startService(() => ({}))
    const rule = (id: string, authorizer: object): object => ({
      id,
      match: { url: `<.*>/${id}`, methods: ['GET'] },
      authenticators: [{ handler: 'noop' }],
      authorizer,
      mutators: [{ handler: 'noop' }],
      upstream: { url: upstream.url },
    })
    const config = { remote: service.url, forward_response_headers_to_upstream: ['X-Role'] }
    await using gateway = await startGateway({
      config: {
        profile,
        authenticators: { noop: { enabled: true } },
        authorizers: { allow: { enabled: true }, remote: { enabled: true, config } },
        mutators: { noop: { enabled: true } },
      },
      rules: [rule('asks', { handler: 'remote' }), rule('open', { handler: 'allow' })],
    })
    const answer = await fetch(`${gateway.proxy}${path}`, { headers: { 'X-Role': 'admin' } })
    expect(answer.status).toBe(200)
    expect(upstream.calls[0]!.headers['x-role']).toBe(expected)
  })
})
