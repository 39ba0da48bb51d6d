import { z } from 'zod'
import { duration } from '../../documents/duration.ts'
import { GatewayError } from '../../errors.ts'
import { createVerifiedClients } from '../../oauth2/verified_clients.ts'
import { defineAuthenticator } from '../contract/handler.ts'
import { basicCredentials } from '../credentials.ts'
import { limitsOf, retry, serviceUrl } from '../service_call.ts'

/** Lets a client in that gets a token for the id and secret it sends by HTTP Basic (RFC 6749 section 4.4). */
export const oauth2ClientCredentials = defineAuthenticator({
  name: 'oauth2_client_credentials',
  config: z.strictObject({
    token_url: serviceUrl.describe('Token endpoint.'),
    required_scope: z.array(z.string()).default([]).describe('Scopes that are asked for.'),
    retry: retry.prefault({}).describe('Limits of the call.'),
    cache: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Whether clients that got a token are remembered.'),
        ttl: duration.optional().describe('How long, at most until the token expires; without both a minute.'),
        max_tokens: z.int().min(0).default(1000).describe('How many clients are remembered; never more than 100,000.'),
      })
      .prefault({})
      .describe('Memory of clients. It delays the effect of a changed secret by as much as it keeps.'),
  }),
  create(config, setup) {
    const { token_url: tokenUrl, required_scope: scopes } = config
    const clients = setup.shared(createVerifiedClients)
    const limits = limitsOf(config.retry)
    const cache =
      config.cache.enabled && config.cache.max_tokens > 0
        ? { ttl: config.cache.ttl, maxEntries: config.cache.max_tokens }
        : undefined

    return (inbound) => {
      const basic = basicCredentials(inbound)
      if (basic === undefined) return { outcome: 'not_responsible' }
      const clientId = formDecode(basic.user)
      const clientSecret = formDecode(basic.password)
      if (clientId === undefined || clientSecret === undefined) {
        const reason = 'The client credentials are not form-encoded (RFC 6749 section 2.3.1)'
        return { outcome: 'denied', error: new GatewayError('credentials_invalid', { reason }) }
      }
      const credentials = { tokenUrl, clientId, clientSecret, scopes }
      const known = cache === undefined ? undefined : clients.recall(credentials, cache)
      if (known !== undefined) return { outcome: 'authenticated', session: known }
      return clients.verify(credentials, limits, cache).then((result) => {
        if (!(result instanceof GatewayError)) return { outcome: 'authenticated', session: result }
        return {
          outcome: result.status < 500 && result.code !== 'token_endpoint_not_found' ? 'denied' : 'unavailable',
          error: result,
        }
      })
    }
  },
})

/** Undefined for a `%` that is no escape, and for what is not UTF-8. */
function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
