import { describe, expect, it } from 'vitest'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { startService, type Service } from '../support/service.ts'

/** A gateway whose rule asks `service` with the body, of which it takes ten bytes. */
const gatewayBefore = (service: Service): Promise<ListeningGateway> =>
  startGateway({
    config: {
      authenticators: { noop: { enabled: true } },
      authorizers: { remote: { enabled: true, config: { remote: service.url, max_body_bytes: 10 } } },
      mutators: { noop: { enabled: true } },
    },
    rules: [
      {
        id: 'asks',
        match: { url: '<.*>', methods: ['GET', 'POST'] },
        authenticators: [{ handler: 'noop' }],
        authorizer: { handler: 'remote' },
        mutators: [{ handler: 'noop' }],
      },
    ],
  })

describe('the body of a call of /decisions', () => {
  it('goes to the authorizer that asks for it', async () => {
    await using service = await startService(() => ({}))
    await using gateway = await gatewayBefore(service)
    const headers = { 'content-type': 'text/plain' }
    const answer = await fetch(`${gateway.api}/decisions/x`, { method: 'POST', headers, body: 'ten bytes!' })
    expect(answer.status).toBe(200)
    expect(service.calls).toMatchObject([{ method: 'POST', body: 'ten bytes!', headers }])
  })

  it('may be missing', async () => {
    await using service = await startService(() => ({}))
    await using gateway = await gatewayBefore(service)
    expect((await fetch(`${gateway.api}/decisions/x`)).status).toBe(200)
    expect((await fetch(`${gateway.api}/decisions/x`, { method: 'POST' })).status).toBe(200)
    expect(service.calls.map(({ body }) => body)).toEqual(['', ''])
  })

  it('is refused when it is too large', async () => {
    await using service = await startService(() => ({}))
    await using gateway = await gatewayBefore(service)
    const answer = await fetch(`${gateway.api}/decisions/x`, { method: 'POST', body: 'eleven byte' })
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ error: { code: 413, message: 'The request body is too large' } })
    expect(service.calls).toEqual([])
  })
})
