import { describe, expect, it } from 'vitest'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { openClient } from '../support/raw-client.ts'
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

  it.each(['Content-Length: 10\r\n\r\nten bytes!', 'Transfer-Encoding: chunked\r\n\r\na\r\nten bytes!\r\n0\r\n\r\n'])(
    'goes to it with a GET, too: %j',
    async (framed) => {
      await using service = await startService(() => ({}))
      await using gateway = await gatewayBefore(service)
      const client = await openClient(gateway.addresses.api.port)
      // Twice on one connection: nothing of the first is left over.
      for (let times = 0; times < 2; times++) {
        client.write(`GET /decisions/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n${framed}`)
        expect((await client.response()).status).toBe(200)
      }
      client.close()
      expect(service.calls.map(({ body }) => body)).toEqual(['ten bytes!', 'ten bytes!'])
    },
  )

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

  it('is refused when it is too large, and the next call is answered', async () => {
    await using service = await startService(() => ({}))
    await using gateway = await gatewayBefore(service)
    const client = await openClient(gateway.addresses.api.port)
    const body = 'x'.repeat(200_000)
    client.write(`GET /decisions/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    expect((await client.response()).status).toBe(413)
    client.write('GET /decisions/x HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect((await client.response()).status).toBe(200)
    client.close()
  })
})
