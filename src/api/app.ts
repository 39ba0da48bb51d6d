/** The API plane: what operators, probes, verifiers of tokens and other proxies ask the gateway. No request is proxied here. */
import { Hono } from 'hono'
import { GatewayError } from '../errors.ts'
import type { Revocation, Revocations } from '../pipeline/contract/revocations.ts'
import type { Clock, Log } from '../pipeline/contract/runtime.ts'
import { errorAnswer } from '../pipeline/error_body.ts'
import type { CorsAnswer } from '../proxy/cors.ts'
import { readInbound } from '../proxy/inbound.ts'
import type { DecisionRecord } from '../telemetry/decision_log.ts'
import { firstSegment, type RequestRecord } from '../telemetry/metrics.ts'
import { revoke } from './admin.ts'
import { errorResponse, jsonAnswer, problemAnswer } from './answers.ts'
import { answerDecision } from './decisions.ts'
import { alive, ready, type Health } from './health.ts'
import { kratosHook } from './hooks.ts'
import { JWKS_PATH, publishedKeySet } from './jwks.ts'
import { notFound } from './not_found.ts'
import { rawPath, rawRequest, type ApiEnv } from './request.ts'
import { findRule, listRules } from './rules.ts'
import type { ApiSnapshot } from './snapshot.ts'
import { WHOAMI_PATH } from './whoami.ts'

export interface ApiOptions {
  /** The snapshot in use; read once per request. */
  current(): ApiSnapshot
  health(): Health
  /** Semantic version of the gateway. */
  readonly version: string
  readonly clock: Pick<Clock, 'monotonic'>
  readonly log: Pick<Log, 'error'>
  readonly revocations: Pick<Revocations, 'publish'>
  /** Told of every finished request. */
  onRequest(record: RequestRecord): void
  /** Told of every decision made for `/decisions`. */
  onDecision(record: DecisionRecord): void
}

export type ApiApp = Hono<ApiEnv>

/** First segments of the paths that exist; all others are one in the metrics. */
const ROUTES = new Set(['/health', '/version', '/rules', '/.well-known', '/decisions', '/sessions', '/admin', '/hooks'])

export function createApiApp(options: ApiOptions): ApiApp {
  const app: ApiApp = new Hono<ApiEnv>({ getPath: (request, context) => rawPath(request, context?.env) })
  const { clock } = options

  app.use(async (c, next) => {
    const start = clock.monotonic()
    await next()
    const { method, raw } = c.req
    const target = rawPath(raw, c.env)
    options.onRequest({
      service: 'oathkeeper-api',
      method,
      target,
      status: c.res.status,
      durationMs: clock.monotonic() - start,
      known: ROUTES.has(firstSegment(target)),
    })
  })

  app.use(async (c, next) => {
    // Probes come under the address of a machine that nobody can list beforehand; there they learn yes or no, not why.
    if (c.req.path.startsWith('/health/') || options.current().answersTo(c.req.header('host'))) return next()
    return problemAnswer(
      421,
      'The API does not answer under this host name',
      'If the name is meant to be one of the API, it belongs into serve.api.allowed_hosts.',
    )
  })

  app.use(async (c, next) => {
    const { cors } = options.current()
    if (cors === undefined) return next()
    const answer = cors(c.req.method, { get: (name) => c.req.header(name) })
    if (answer.preflight) return preflight(answer)
    await next()
    for (const [name, value] of answer.headers) c.res.headers.append(name, value)
    return undefined
  })

  app.get('/health/alive', () => alive())
  app.get('/health/ready', (c) => ready(options.health(), options.current().answersTo(c.req.header('host'))))

  app.get('/version', () => jsonAnswer({ version: options.version }))
  app.get('/rules', (c) => listRules(options.current().validRules, c.req.query('limit'), c.req.query('offset')))
  app.get('/rules/:id', (c) => findRule(options.current().validRules, c.req.param('id')))
  app.get(JWKS_PATH, () => errorResponse(publishedKeySet(options.current().keySets)))
  app.all('/decisions', (c) => answerDecision(c, options))
  app.get(WHOAMI_PATH, async (c) => {
    const { whoami, inbound: settings } = options.current()
    if (whoami === undefined) return notFound(c.req.header('accept'))
    const { request, peer } = rawRequest(c)
    const inbound = readInbound(request, peer, { ...settings, trustForwardedHeaders: false })
    return errorResponse(
      inbound instanceof GatewayError ? errorAnswer(inbound, undefined, { verbose: false }) : await whoami(inbound),
    )
  })

  const adminRoute = (path: string, revocation: (id: string) => Revocation): void => {
    app.delete(path, (c) => {
      const { admin } = options.current()
      if (admin === undefined) return notFound(c.req.header('accept'))
      return revoke(c, admin, options.revocations, revocation(c.req.param('id') ?? ''))
    })
  }
  adminRoute('/admin/sessions', () => ({ everything: true }))
  adminRoute('/admin/sessions/:id', (session) => ({ session }))
  adminRoute('/admin/identities/:id/sessions', (identity) => ({ identity }))
  app.post('/hooks/kratos', (c) => {
    const { hooks } = options.current()
    return hooks === undefined ? notFound(c.req.header('accept')) : kratosHook(c, hooks, options.revocations)
  })

  app.notFound((c) => notFound(c.req.header('accept')))
  app.onError((error) => {
    options.log.error({ err: error }, 'The API failed unexpectedly')
    return errorResponse(errorAnswer(new GatewayError('internal_error'), undefined, { verbose: false }))
  })
  return app
}

function preflight({ headers }: CorsAnswer): Response {
  return new Response(null, { status: 204, headers: headers.map(([name, value]): [string, string] => [name, value]) })
}
