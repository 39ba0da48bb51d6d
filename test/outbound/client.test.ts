import { describe, expect, it } from 'vitest'
import { createHttpClient, HttpCallError, type HttpClientOptions } from '../../src/outbound/client.ts'
import type { HttpLimits, HttpRequest, HttpResponse } from '../../src/pipeline/contract/http_client.ts'
import { startService } from '../support/service.ts'

/** Long enough never to be reached by what answers. */
const patient: HttpLimits = { giveUpAfter: 20_000, maxDelay: 5 }

async function send(
  url: string,
  limits: HttpLimits = patient,
  request: Partial<HttpRequest> = {},
  options: HttpClientOptions = {},
): Promise<HttpResponse> {
  const client = createHttpClient(options)
  try {
    return await client.send({ method: 'POST', url, headers: [], body: 'asked', ...request }, limits)
  } finally {
    await client.close()
  }
}

const failureOf = (sending: Promise<unknown>): Promise<unknown> =>
  sending.then(
    () => 'answered',
    (error: unknown) => (error instanceof HttpCallError ? error.kind : error),
  )

describe('attempts', () => {
  it.each([429, 500, 502, 503, 504])('are repeated after %i', async (status) => {
    await using service = await startService((_, index) => (index < 3 ? { status } : { body: 'yes' }))
    expect(await send(service.url)).toMatchObject({ status: 200, body: 'yes' })
    expect(service.calls.map(({ body }) => body)).toEqual(['asked', 'asked', 'asked', 'asked'])
  })

  it('are repeated after a connection that broke', async () => {
    await using service = await startService((_, index) => (index === 0 ? { broken: true } : {}))
    expect(await send(service.url)).toMatchObject({ status: 200 })
    expect(service.calls).toHaveLength(2)
  })

  it('end with the fifth, whose answer stands', async () => {
    await using service = await startService(() => ({ status: 503, body: 'no' }))
    expect(await send(service.url)).toMatchObject({ status: 503, body: 'no' })
    expect(service.calls).toHaveLength(5)
  })

  it.each([200, 204, 400, 401, 403, 404, 501])('are not repeated after %i', async (status) => {
    await using service = await startService(() => ({ status }))
    expect(await send(service.url)).toMatchObject({ status })
    expect(service.calls).toHaveLength(1)
  })

  it('are not repeated unless the caller says that they may be', async () => {
    await using service = await startService(() => ({ status: 503 }))
    expect(await send(service.url, { giveUpAfter: 20_000 })).toMatchObject({ status: 503 })
    expect(service.calls).toHaveLength(1)
  })

  it.each(['1', 'Fri, 31 Dec 2100 23:59:59 GMT'])(
    'are not repeated when the service asks for a longer pause than there is (%s)',
    async (retryAfter) => {
      await using service = await startService(() => ({ status: 429, headers: { 'Retry-After': retryAfter } }))
      expect(await send(service.url)).toMatchObject({ status: 429, headers: { 'retry-after': retryAfter } })
      expect(service.calls).toHaveLength(1)
    },
  )

  it('share one budget', async () => {
    await using service = await startService((_, index) => (index === 0 ? { status: 500 } : undefined))
    expect(await failureOf(send(service.url, { giveUpAfter: 200, maxDelay: 1 }))).toBe('timed_out')
  })
})

describe('an answer', () => {
  it('is refused when its body is larger than the caller takes', async () => {
    await using service = await startService(() => ({ body: 'x'.repeat(11) }))
    expect(await send(service.url, { ...patient, maxBody: 11 })).toMatchObject({ body: 'x'.repeat(11) })
    expect(await failureOf(send(service.url, { ...patient, maxBody: 10 }))).toBe('too_large')
    expect(service.calls).toHaveLength(2)
  })

  it('has no body when nobody reads it, however large or odd it is', async () => {
    await using service = await startService(() => ({ body: '\u{fffd}'.repeat(300_000) }))
    expect(await send(service.url, { ...patient, maxBody: 0 })).toMatchObject({ status: 200, body: '' })
  })

  it('that does not come is told without what was sent', async () => {
    await using service = await startService(() => ({ broken: true }))
    const sending = send(service.url, { giveUpAfter: 20_000 }, { headers: [['authorization', 'Bearer s3cret']] })
    await expect(sending).rejects.toThrow(/^gave no whole answer \(\w+\)$/)
  })

  it('is not waited for when too many calls to the origin are under way', async () => {
    await using service = await startService(() => undefined)
    const client = createHttpClient({ concurrency: 1 })
    const request = { method: 'POST', url: service.url, headers: [] }
    const waiting = failureOf(client.send(request, { giveUpAfter: 200 }))
    expect(await failureOf(client.send(request, patient))).toBe('overloaded')
    expect(await waiting).toBe('timed_out')
    expect(await failureOf(client.send(request, { giveUpAfter: 50 }))).toBe('timed_out')
    await client.close()
  })
})

describe('a redirect', () => {
  it.each([
    [302, 'GET', '', undefined],
    [303, 'GET', '', undefined],
    [307, 'POST', 'asked', 'text/plain'],
    [308, 'POST', 'asked', 'text/plain'],
  ])('with %i on the same origin is followed with %s', async (status, method, body, type) => {
    await using service = await startService(({ url }) =>
      url === '/' ? { status, headers: { Location: '/there' } } : { body: 'arrived' },
    )
    const headers = [['content-type', 'text/plain']] as const
    expect(await send(service.url, patient, { headers })).toMatchObject({ status: 200, body: 'arrived' })
    const { headers: sent, ...call } = service.calls[1]!
    expect({ ...call, type: sent['content-type'] }).toEqual({ method, url: '/there', body, type })
  })

  it('to another origin is an answer like any other: what was sent does not go there', async () => {
    await using other = await startService(() => ({}))
    await using service = await startService(() => ({ status: 307, headers: { Location: `${other.url}/` } }))
    expect(await send(service.url)).toMatchObject({ status: 307 })
    expect(other.calls).toEqual([])
  })

  it('in a circle ends', async () => {
    await using service = await startService(() => ({ status: 307, headers: { Location: '/' } }))
    expect(await send(service.url)).toMatchObject({ status: 307 })
    expect(service.calls).toHaveLength(6)
  })
})
