import { z } from 'zod'
import { duration } from '../../documents/duration.ts'
import { GatewayError } from '../../errors.ts'
import { createIntrospections, type Introspected, type IntrospectionQuestion } from '../../oauth2/introspection.ts'
import { refusalOf } from '../../oauth2/introspection_answer.ts'
import { scopeStrategy, scopeStrategyName } from '../../oauth2/scope.ts'
import type { ClientCredentials } from '../../oauth2/token_endpoint.ts'
import { defineAuthenticator } from '../contract/handler.ts'
import type { HeaderLine } from '../contract/headers.ts'
import type { Authentication } from '../contract/outcomes.ts'
import { findToken, tokenFrom } from '../credentials.ts'
import { compileTokenCsrf, csrfField } from '../csrf.ts'
import { limitsOf, retry, sentHeaderName, serviceUrl } from '../service_call.ts'

const strings = z.array(z.string())

const preAuthorization = z
  .discriminatedUnion('enabled', [
    z.strictObject({
      enabled: z.literal(true).describe('Ask as a client, by the client credentials grant.'),
      client_id: z.string().min(1).describe('Client ID.'),
      client_secret: z.string().min(1).describe('Client secret.'),
      token_url: serviceUrl.describe('Token endpoint.'),
      audience: z.string().optional().describe('Audience that is asked for.'),
      scope: strings.default([]).describe('Scopes that are asked for.'),
    }),
    z.looseObject({ enabled: z.literal(false).default(false).describe('Ask without a token.') }),
  ])
  .optional()
  .describe('How the gateway authorises itself at introspection_url.')

const requestHeaders = z
  .record(sentHeaderName, z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be a header value'))
  .default({})
  .describe('Headers of the call.')

/** Asks the authorization server what a token is worth (RFC 7662). */
export const oauth2Introspection = defineAuthenticator({
  name: 'oauth2_introspection',
  config: z.strictObject({
    introspection_url: serviceUrl.describe('Introspection endpoint.'),
    scope_strategy: scopeStrategyName,
    pre_authorization: preAuthorization,
    required_scope: strings
      .default([])
      .describe('Scopes that a token must have; with the strategy none the server is asked for them.'),
    target_audience: strings.default([]).describe('Audiences that a token must all be intended for.'),
    trusted_issuers: strings.default([]).describe('Issuers of which a token must have one; none means any.'),
    prefix: z.string().default('').describe('Only tokens that begin with this, such as ory_at_, are looked at.'),
    preserve_host: z.boolean().default(false).describe("Send the request's host as X-Forwarded-Host."),
    introspection_request_headers: requestHeaders,
    token_from: tokenFrom.optional(),
    csrf: csrfField,
    retry: retry.prefault({}).describe('Limits of the call.'),
    cache: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Whether answers that let a request in are kept.'),
        ttl: duration
          .optional()
          .describe('How long an answer is kept, at most until the token expires; without both a minute.'),
        max_cost: z
          .int()
          .min(0)
          .default(100_000_000)
          .describe('How many answers are kept; never more than 100,000 or 64 MiB of them.'),
      })
      .prefault({})
      .describe('Memory of answers. It delays the effect of a revocation by as much as it keeps.'),
  }),
  create(config, setup) {
    const { introspection_url, prefix, required_scope, preserve_host } = config
    const strategy = scopeStrategy(config.scope_strategy)
    const requirements = {
      audiences: config.target_audience,
      issuers: config.trusted_issuers,
      scopes: required_scope,
      strategy,
      strict: setup.safeguards.session_requirements === 'strict',
    }
    const headers = Object.entries(config.introspection_request_headers).map(([name, value]): HeaderLine => [
      name.toLowerCase(),
      value,
    ])
    const fixed: Omit<IntrospectionQuestion, 'token'> = {
      url: introspection_url,
      ...(strategy === undefined && { scope: required_scope.join(' ') }),
      headers: preserve_host ? headers.filter(([name]) => name !== 'x-forwarded-host') : headers,
      client: clientOf(config.pre_authorization),
    }
    const limits = limitsOf(config.retry)
    const introspections = setup.shared(createIntrospections)
    // What a server says about scopes is its answer of the moment: it is asked each time, as in Oathkeeper.
    const cache =
      config.cache.enabled && config.cache.max_cost > 0 && (strategy !== undefined || required_scope.length === 0)
        ? { ttl: config.cache.ttl, maxEntries: config.cache.max_cost }
        : undefined

    const decide = ({ token, session }: Introspected): Authentication => {
      const refusal = refusalOf(token, requirements, setup.clock.now())
      return refusal === undefined ? { outcome: 'authenticated', session } : { outcome: 'denied', error: refusal }
    }
    const guard = compileTokenCsrf(config.csrf, config.token_from, setup)

    return (inbound) => {
      const token = findToken(inbound, config.token_from)
      if (token === '' || !token.startsWith(prefix)) return { outcome: 'not_responsible' }
      const error = guard?.(inbound)
      if (error !== undefined) return { outcome: 'denied', error }
      const host: HeaderLine = ['x-forwarded-host', inbound.host]
      const question = { ...fixed, token, ...(preserve_host && { headers: [...fixed.headers, host] }) }
      const kept = cache === undefined ? undefined : introspections.recall(question, cache)
      if (kept !== undefined) return decide(kept)
      return introspections.ask(question, limits).then((answer) => {
        if (answer instanceof GatewayError)
          return { outcome: answer.status < 500 ? 'denied' : 'unavailable', error: answer }
        const authentication = decide(answer)
        if (cache !== undefined && authentication.outcome === 'authenticated')
          introspections.keep(question, cache, answer)
        return authentication
      })
    }
  },
})

function clientOf(settings: z.output<typeof preAuthorization>): ClientCredentials | undefined {
  if (settings?.enabled !== true) return undefined
  const { client_id, client_secret, token_url, audience, scope } = settings
  return { tokenUrl: token_url, clientId: client_id, clientSecret: client_secret, scopes: scope, audience }
}
