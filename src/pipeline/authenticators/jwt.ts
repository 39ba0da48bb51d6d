import { z } from 'zod'
import { duration } from '../../documents/duration.ts'
import { GatewayError } from '../../errors.ts'
import { scopeStrategy, scopeStrategyName } from '../../oauth2/scope.ts'
import { algorithms } from '../../tokens/algorithms.ts'
import { hasThreeParts } from '../../tokens/verification/compact_jws.ts'
import { createVerificationKeys } from '../../tokens/verification/keys.ts'
import { createVerifier } from '../../tokens/verification/verifier.ts'
import { ConfigError } from '../contract/config_error.ts'
import { defineAuthenticator } from '../contract/handler.ts'
import type { Authentication } from '../contract/outcomes.ts'
import type { JsonObject } from '../contract/values.ts'
import { findToken, tokenFrom } from '../credentials.ts'
import { compileTokenCsrf, csrfField } from '../csrf.ts'

const strings = z.array(z.string())

/** Verifies JSON Web Tokens (RFC 7519) by the keys that their issuers publish. */
export const jwt = defineAuthenticator({
  name: 'jwt',
  config: z.strictObject({
    jwks_urls: z
      .array(z.url({ error: 'must be an absolute URL' }))
      .describe('Key sets that verify tokens: file://, base64://, http(s)://. Keys count with a `kid` and `use: sig`.'),
    required_scope: strings.default([]).describe('Scopes that a token must have.'),
    target_audience: strings.default([]).describe('Audiences that a token must all be intended for.'),
    trusted_issuers: strings.default([]).describe('Issuers of which a token must name one; none means any.'),
    allowed_algorithms: strings
      .default(['RS256'])
      .describe(`Signature algorithms: ${[...algorithms.keys()].join(', ')}.`),
    jwks_max_wait: duration.prefault('1s').describe('How long a request waits for a key set.'),
    jwks_ttl: duration.prefault('30s').describe('How long a key set is used before it is read again.'),
    scope_strategy: scopeStrategyName,
    token_from: tokenFrom.optional(),
    csrf: csrfField,
  }),
  async create(config, setup) {
    if (config.jwks_urls.length === 0) throw new ConfigError('There is no key set to verify tokens by', ['jwks_urls'])
    for (const [index, name] of config.allowed_algorithms.entries()) {
      if (algorithms.has(name)) continue
      const hint = `These do: ${[...algorithms.keys()].join(', ')}.`
      setup.report('warning', `"${name}" verifies no token here`, ['allowed_algorithms', index], hint)
    }
    const strategy = scopeStrategy(config.scope_strategy)
    if (strategy === undefined && config.required_scope.length > 0) {
      setup.report(
        'warning',
        'No token has a required scope as long as scope_strategy is "none": every request is refused',
        ['required_scope'],
        'Set scope_strategy to exact, hierarchic or wildcard.',
      )
    }
    const keys = setup.shared(createVerificationKeys)
    for (const [index, url] of config.jwks_urls.entries()) {
      const problem = await keys.checkLocal(url)
      if (problem !== undefined)
        setup.report('warning', `No token can be verified by this key set. ${problem}`, ['jwks_urls', index])
    }
    const strict = setup.safeguards.session_requirements === 'strict'
    const verify = createVerifier({
      keys,
      urls: config.jwks_urls,
      lookup: { ttl: config.jwks_ttl, maxWait: config.jwks_max_wait },
      algorithms: config.allowed_algorithms,
      claims: {
        audiences: config.target_audience,
        issuers: config.trusted_issuers,
        scopes: config.required_scope,
        strategy,
        strict,
      },
      pinned: strict,
      clock: setup.clock,
    })
    const guard = compileTokenCsrf(config.csrf, config.token_from, setup)

    return (inbound) => {
      const token = findToken(inbound, config.token_from)
      if (!hasThreeParts(token)) return { outcome: 'not_responsible' }
      const error = guard?.(inbound)
      return error === undefined ? verify(token).then(authentication) : { outcome: 'denied', error }
    }
  },
})

function authentication(result: JsonObject | GatewayError): Authentication {
  if (result instanceof GatewayError) {
    return { outcome: result.status < 500 ? 'denied' : 'unavailable', error: result }
  }
  const { sub, exp } = result
  return {
    outcome: 'authenticated',
    session: {
      subject: typeof sub === 'string' ? sub : '',
      extra: result,
      ...(typeof exp === 'number' && { expiresAt: exp * 1000 }),
    },
  }
}
