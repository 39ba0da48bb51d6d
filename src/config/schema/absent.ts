/**
 * Oathkeeper's handlers that this version does not have. Their keys are known, so that a file that mentions them loads
 * and is checked like the rest; enabling one is warned of, and a rule that uses one is invalid.
 */
import { z } from 'zod'
import type { AnyHandler } from '../../pipeline/contract.ts'

const url = z.url({ error: 'must be an absolute URL' })
const strings = z.array(z.string())
const durationText = z
  .string()
  .regex(/^[0-9]+(ns|us|ms|s|m|h)$/, 'must be a duration: one number and one unit of ns, us, ms, s, m, h, such as "30s"')

const retry = z.strictObject({
  give_up_after: durationText.default('1s').describe('Time limit of one attempt.'),
  max_delay: durationText.default('100ms').describe('Longest pause between two attempts.'),
})

const tokenFrom = z
  .union([
    z.null(),
    z.strictObject({ header: z.string().describe('Name of a header.') }),
    z.strictObject({ query_parameter: z.string().describe('Name of a query parameter.') }),
    z.strictObject({ cookie: z.string().describe('Name of a cookie.') }),
  ])
  .optional()
  .describe('Where the token is; absent means the Authorization header.')

const scopeStrategy = z.enum(['hierarchic', 'exact', 'wildcard', 'none']).default('none').describe('How scopes are compared.')

const jwt = z.strictObject({
  jwks_urls: z.array(url).describe('Key sets that verify tokens.'),
  required_scope: strings.optional().describe('Scopes that a token must have.'),
  target_audience: strings.optional().describe('Audiences that a token must have.'),
  trusted_issuers: strings.optional().describe('Issuers that are believed.'),
  allowed_algorithms: strings.optional().describe('Signature algorithms; absent means RS256.'),
  jwks_max_wait: durationText.default('1s').describe('How long a request waits for a key set.'),
  jwks_ttl: durationText.default('30s').describe('How long a key set is kept.'),
  scope_strategy: scopeStrategy,
  token_from: tokenFrom,
})

const oauth2ClientCredentials = z.strictObject({
  token_url: url.describe('Token endpoint.'),
  required_scope: strings.optional().describe('Scopes that are asked for.'),
  retry: retry.prefault({}).describe('Retries.'),
  cache: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Keep tokens.'),
      ttl: durationText.optional().describe('How long a token is kept.'),
      max_tokens: z.int().default(1000).describe('How many tokens are kept.'),
    })
    .prefault({})
    .describe('Cache of tokens.'),
})

const oauth2Introspection = z.strictObject({
  introspection_url: url.describe('Introspection endpoint.'),
  scope_strategy: scopeStrategy,
  pre_authorization: z
    .union([
      z.strictObject({
        enabled: z.literal(true).describe('Authorise calls by the client credentials grant.'),
        client_id: z.string().describe('Client ID.'),
        client_secret: z.string().describe('Client secret.'),
        token_url: url.describe('Token endpoint.'),
        audience: z.string().optional().describe('Audience that is asked for.'),
        scope: strings.optional().describe('Scopes that are asked for.'),
      }),
      z.looseObject({ enabled: z.literal(false).default(false).describe('No authorisation of calls.') }),
    ])
    .optional()
    .describe('How the gateway authorises itself at the endpoint.'),
  required_scope: strings.optional().describe('Scopes that a token must have.'),
  target_audience: strings.optional().describe('Audiences that a token must have.'),
  trusted_issuers: strings.optional().describe('Issuers that are believed.'),
  prefix: z.string().optional().describe('Beginning of the tokens that this handler answers for.'),
  preserve_host: z.boolean().default(false).describe("Send the request's Host as X-Forwarded-Host."),
  introspection_request_headers: z.record(z.string(), z.string()).optional().describe('Headers that are added to the call.'),
  token_from: tokenFrom,
  retry: retry.prefault({}).describe('Retries.'),
  cache: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Keep answers.'),
      ttl: durationText.optional().describe('How long an answer is kept.'),
      max_cost: z.int().default(100_000_000).describe('Bytes of answers that are kept.'),
    })
    .prefault({})
    .describe('Cache of answers.'),
})

/** What the config needs to know of a handler. */
export type HandlerDescription = Pick<AnyHandler, 'kind' | 'name' | 'config'>

export const absentHandlers: readonly HandlerDescription[] = [
  { kind: 'authenticators', name: 'jwt', config: jwt },
  { kind: 'authenticators', name: 'oauth2_client_credentials', config: oauth2ClientCredentials },
  { kind: 'authenticators', name: 'oauth2_introspection', config: oauth2Introspection },
]
