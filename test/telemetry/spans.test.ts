import { request } from 'undici'
import { describe, expect, it, vi } from 'vitest'
import { requestTracer } from '../../src/telemetry/request_span.ts'
import { startGateway, type GatewayInput } from '../support/gateway.ts'
import { startService } from '../support/service.ts'
import { registerTracing, type EndedSpan, type Tracing } from '../support/tracing.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
const secret = 'ory_st_4Tn0bFz7kQmC2wYhXv8sLrJdE6uAgP1i'

const enabled = { enabled: true }

function setup(urls: { readonly upstream: string; readonly store: string; readonly hydrator?: string }): GatewayInput {
  const mutators = urls.hydrator === undefined ? ['noop'] : ['hydrator', 'noop']
  return {
    rules: [
      {
        id: 'notes',
        match: { url: 'http://<127.0.0.1|localhost>:<[0-9]+>/notes/<.*>', methods: ['GET', 'POST'] },
        authenticators: [{ handler: 'cookie_session' }],
        authorizer: { handler: 'allow' },
        mutators: mutators.map((handler) => ({ handler })),
        upstream: { url: urls.upstream },
      },
    ],
    config: {
      authenticators: {
        cookie_session: {
          enabled: true,
          config: { check_session_url: `${urls.store}/sessions/whoami`, preserve_path: true },
        },
      },
      authorizers: { allow: enabled },
      mutators: {
        noop: enabled,
        ...(urls.hydrator !== undefined && { hydrator: { enabled: true, config: { api: { url: urls.hydrator } } } }),
      },
    },
  }
}

const session = { body: JSON.stringify({ subject: 'alice', extra: {} }) }
const cookie = 'ory_kratos_session=abc'

/** Milliseconds: as long as a busy machine takes. */
const PATIENCE = 10_000

/** The first ended span that fits; the end of a request is not awaited by its client. */
const spanOf = (tracing: Tracing, kind: number, fits: (span: EndedSpan) => boolean = () => true): Promise<EndedSpan> =>
  vi.waitFor(() => {
    const found = tracing.spans.find((span) => span.kind === kind && fits(span))
    if (found === undefined) throw new Error(`not among ${JSON.stringify(tracing.spans)}`)
    return found
  }, PATIENCE)

const [SERVER, CLIENT] = [1, 2]

describe('a proxied request', () => {
  it("is a child of the client's span, with the calls it makes as its children", async () => {
    using tracing = registerTracing()
    await using upstream = await startService(() => ({ status: 200, body: 'ok' }))
    await using store = await startService(() => session)
    await using hydrator = await startService(({ body }) => ({ body }))
    await using gateway = await startGateway(
      setup({ upstream: upstream.url, store: store.url, hydrator: hydrator.url }),
    )
    const response = await request(`${gateway.proxy}/notes/42?token=${secret}`, {
      headers: { cookie, traceparent, tracestate: 'vendor=value', 'user-agent': 'test' },
    })
    expect(response.statusCode).toBe(200)
    await response.body.dump()

    const server = await spanOf(tracing, SERVER)
    expect(server).toMatchObject({ name: 'GET notes', traceId, parentId: '00f067aa0ba902b7', failed: false })
    expect(server.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'client.address': '127.0.0.1',
      'url.scheme': 'http',
      'url.path': '/notes/42',
      'server.address': '127.0.0.1',
      'server.port': gateway.addresses.proxy.port,
      'user_agent.original': 'test',
      'mintkeeper.outcome': 'allowed',
      'mintkeeper.reason': 'allowed',
      'mintkeeper.rule.id': 'notes',
    })
    for (const service of [store, hydrator, upstream]) {
      const port = Number(new URL(service.url).port)
      const call = await spanOf(tracing, CLIENT, ({ attributes }) => attributes['server.port'] === port)
      expect(call).toMatchObject({ traceId, parentId: server.spanId, failed: false })
      expect(call.attributes['http.response.status_code']).toBe(200)
      expect(service.calls[0]?.headers['traceparent']).toBe(`00-${traceId}-${call.spanId}-01`)
      expect(service.calls[0]?.headers['tracestate']).toBe('vendor=value')
    }
    expect(tracing.spans).toHaveLength(4)
    expect(JSON.stringify(tracing.spans)).not.toContain(secret)
    const line = gateway.log.find((text) => text.includes('Access request granted')) ?? '{}'
    expect(JSON.parse(line)).toMatchObject({ trace_id: traceId, span_id: server.spanId })
  })

  it('says why it was refused, and that an outage is an error', async () => {
    using tracing = registerTracing()
    await using upstream = await startService(() => ({}))
    await using store = await startService((_, index) => ({ status: index === 0 ? 401 : 500 }))
    await using gateway = await startGateway(setup({ upstream: upstream.url, store: store.url }))
    for (const status of [401, 503]) {
      const response = await request(`${gateway.proxy}/notes/1`, {
        headers: { cookie: `ory_kratos_session=${status}` },
      })
      expect(response.statusCode).toBe(status)
      await response.body.dump()
    }
    const refused = await spanOf(tracing, SERVER, ({ attributes }) => attributes['http.response.status_code'] === 401)
    expect(refused).toMatchObject({ name: 'GET notes', failed: false, parentId: undefined })
    expect(refused.attributes).toMatchObject({
      'mintkeeper.outcome': 'refused',
      'mintkeeper.reason': 'credentials_invalid',
      'mintkeeper.rule.id': 'notes',
    })
    const outage = await spanOf(tracing, SERVER, ({ attributes }) => attributes['http.response.status_code'] === 503)
    expect(outage.failed).toBe(true)
    expect(outage.attributes['error.type']).toBe('session_store_unavailable')
    expect(tracing.spans.filter(({ kind }) => kind === CLIENT).map(({ failed }) => failed)).toEqual([true, true])
  })

  it('tells an upstream that is not there', async () => {
    using tracing = registerTracing()
    await using store = await startService(() => session)
    const upstream = await startService(() => undefined)
    await upstream[Symbol.asyncDispose]()
    await using gateway = await startGateway(setup({ upstream: upstream.url, store: store.url }))
    const response = await request(`${gateway.proxy}/notes/1`, { headers: { cookie } })
    expect(response.statusCode).toBe(502)
    await response.body.dump()
    const server = await spanOf(tracing, SERVER)
    expect(server.failed).toBe(true)
    expect(server.attributes).toMatchObject({ 'mintkeeper.outcome': 'failed', 'error.type': 'upstream_unreachable' })
    const call = await spanOf(tracing, CLIENT, ({ failed }) => failed)
    expect(call.attributes['error.type']).toBe('upstream_unreachable')
  })

  it('is named after no path, method or rule that a client chose', async () => {
    using tracing = registerTracing()
    await using store = await startService(() => session)
    await using gateway = await startGateway(setup({ upstream: 'http://127.0.0.1:9', store: store.url }))
    const response = await request(`${gateway.proxy}/other/${secret}`, {
      method: 'PROPFIND',
      headers: { traceparent: 'nonsense' },
    })
    expect(response.statusCode).toBe(404)
    await response.body.dump()
    const server = await spanOf(tracing, SERVER)
    expect(server).toMatchObject({ name: 'HTTP', parentId: undefined })
    expect(server.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PROPFIND',
      'mintkeeper.reason': 'rule_not_found',
    })
    expect(JSON.stringify(server)).not.toContain(secret)
  })

  it('that the front gate refuses is one span, too', async () => {
    using tracing = registerTracing()
    await using store = await startService(() => session)
    await using gateway = await startGateway(setup({ upstream: 'http://127.0.0.1:9', store: store.url }))
    const response = await request(`${gateway.proxy}/notes/%00`)
    expect(response.statusCode).toBe(400)
    await response.body.dump()
    const { name, attributes } = await spanOf(tracing, SERVER)
    expect(name).toBe('GET')
    expect(attributes).toMatchObject({ 'mintkeeper.outcome': 'refused', 'mintkeeper.reason': 'request_invalid' })
  })
})

describe('a CORS preflight', () => {
  it('is a request, but no decision', async () => {
    using tracing = registerTracing()
    const input = setup({ upstream: 'http://127.0.0.1:9', store: 'http://127.0.0.1:9' })
    const serve = { proxy: { cors: { enabled: true } } }
    await using gateway = await startGateway({ ...input, config: { ...input.config, serve } })
    const response = await request(`${gateway.proxy}/notes/1`, {
      method: 'OPTIONS',
      headers: { origin: 'http://app.example', 'access-control-request-method': 'GET' },
    })
    expect(response.statusCode).toBe(204)
    await response.body.dump()
    expect((await spanOf(tracing, SERVER)).attributes['mintkeeper.outcome']).toBe('answered')
    const metrics = await (await request(gateway.metrics)).body.text()
    expect(metrics).toMatch(/^ory_oathkeeper_requests_total\{method="OPTIONS",.*status_code="204"\} 1$/m)
    expect(metrics).not.toContain('decisions_total{')
    expect(gateway.log.join('')).not.toContain('Access request')
  })
})

describe('/decisions', () => {
  it('is a span with the session store call as its child', async () => {
    using tracing = registerTracing()
    await using store = await startService(() => session)
    await using gateway = await startGateway(setup({ upstream: 'http://127.0.0.1:9', store: store.url }))
    const { port } = gateway.addresses.proxy
    const response = await request(`${gateway.api}/decisions`, {
      headers: { cookie, traceparent, 'x-forwarded-host': `127.0.0.1:${port}`, 'x-forwarded-uri': '/notes/42' },
    })
    expect(response.statusCode).toBe(200)
    await response.body.dump()
    const server = await spanOf(tracing, SERVER)
    expect(server).toMatchObject({ name: 'GET /decisions', traceId })
    expect(server.attributes).toMatchObject({
      'http.route': '/decisions',
      'url.path': '/decisions',
      'server.port': gateway.addresses.api.port,
      'mintkeeper.rule.id': 'notes',
      'mintkeeper.outcome': 'allowed',
    })
    const call = await spanOf(tracing, CLIENT)
    expect(call).toMatchObject({ name: 'GET', traceId, parentId: server.spanId })
  })
})

describe('without an SDK', () => {
  it('there is no tracer', () => {
    expect(requestTracer()).toBeUndefined()
    {
      using _ = registerTracing()
      expect(requestTracer()).toBeDefined()
    }
    expect(requestTracer()).toBeUndefined()
  })

  it('a config that asks for traces is warned of', async () => {
    const { config } = setup({ upstream: 'http://127.0.0.1:9', store: 'http://127.0.0.1:9' })
    const input = { config: { ...config, tracing: { provider: 'otel' } } }
    const warned = async (): Promise<boolean> => {
      await using gateway = await startGateway(input)
      return gateway.log.some((line) => line.includes('no OpenTelemetry SDK is registered'))
    }
    expect(await warned()).toBe(true)
    using _ = registerTracing()
    expect(await warned()).toBe(false)
  })

  it("the client's trace passes to the upstream, and its id into the log", async () => {
    await using upstream = await startService(() => ({ status: 200 }))
    await using store = await startService(() => session)
    await using gateway = await startGateway(setup({ upstream: upstream.url, store: store.url }))
    const response = await request(`${gateway.proxy}/notes/1`, { headers: { cookie, traceparent } })
    await response.body.dump()
    expect(upstream.calls[0]?.headers['traceparent']).toBe(traceparent)
    expect(store.calls[0]?.headers['traceparent']).toBeUndefined()
    const line = await vi.waitFor(() => {
      const found = gateway.log.find((text) => text.includes('Access request granted'))
      if (found === undefined) throw new Error('not yet')
      return found
    }, PATIENCE)
    expect(JSON.parse(line)).toMatchObject({ trace_id: traceId })
  })
})
