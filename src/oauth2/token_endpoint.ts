/** The client credentials grant (RFC 6749 section 4.4). */
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { HttpCallError } from '../outbound/client.ts'
import { rateLimited } from '../outbound/rate_limit.ts'
import type { HttpClient, HttpLimits, HttpResponse } from '../pipeline/contract/http_client.ts'

export interface ClientCredentials {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scopes: readonly string[]
  /** Auth0's and Hydra's parameter; RFC 6749 has none. */
  readonly audience?: string | undefined
}

export interface AccessToken {
  readonly value: string
  /** Milliseconds from the answer on; absent when the server did not say. */
  readonly lifetime?: number
}

/**
 * Asks for an access token. Gives the error for the client of the gateway when there is none: `credentials_invalid` only if
 * the server refused, never because it could not be asked.
 */
export async function requestToken(
  http: HttpClient,
  credentials: ClientCredentials,
  limits: HttpLimits,
): Promise<AccessToken | GatewayError> {
  const { tokenUrl, clientId, clientSecret, scopes, audience } = credentials
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scopes.length > 0) form.set('scope', scopes.join(' '))
  if (audience !== undefined && audience !== '') form.set('audience', audience)
  // Both are form-encoded before they are joined (RFC 6749 section 2.3.1), so that a colon in an id is none between the two.
  const basic = Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`).toString('base64')
  try {
    const response = await http.send(
      {
        method: 'POST',
        url: tokenUrl,
        headers: [
          ['authorization', `Basic ${basic}`],
          ['content-type', 'application/x-www-form-urlencoded'],
          ['accept', 'application/json'],
        ],
        body: form.toString(),
      },
      limits,
    )
    return readToken(response)
  } catch (error) {
    if (!(error instanceof HttpCallError)) throw error
    if (error.kind === 'overloaded') return new GatewayError('overloaded', { headers: RETRY_SOON })
    return unavailable(`the token endpoint ${error.message}`, error)
  }
}

const RETRY_SOON = [['Retry-After', '1']] as const

function formEncode(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function unavailable(detail: string, cause?: unknown): GatewayError {
  return new GatewayError('token_endpoint_unavailable', { detail, cause, headers: RETRY_SOON })
}

function readToken(response: HttpResponse): AccessToken | GatewayError {
  const { status } = response
  const detail = `the token endpoint answered ${status}`
  if (status >= 200 && status < 300) return readGrant(response.body)
  if (status === 429) return rateLimited(response)
  if (status === 404) return new GatewayError('token_endpoint_not_found', { detail })
  if (status === 500) return new GatewayError('token_endpoint_failed', { detail })
  if (status === 504) return new GatewayError('token_endpoint_timeout', { detail })
  // A redirect is not followed with a secret, and says no more about the client than an outage does.
  return status >= 500 || status < 400 ? unavailable(detail) : new GatewayError('credentials_invalid', { detail })
}

// Some servers send the number as text.
const grant = z.looseObject({
  access_token: z.string().optional(),
  expires_in: z.coerce.number().nonnegative().optional().catch(undefined),
})

function readGrant(body: string): AccessToken | GatewayError {
  let document: unknown
  try {
    document = JSON.parse(body)
  } catch {
    return unavailable('the token endpoint answered without JSON')
  }
  const parsed = grant.safeParse(document)
  if (!parsed.success) return unavailable('the token endpoint answered with something else than a token')
  const { access_token: value, expires_in: seconds } = parsed.data
  if (value === undefined || value === '') {
    return new GatewayError('credentials_invalid', { detail: 'the token endpoint answered without an access token' })
  }
  // As in Go's client, 0 is the same as no word about it.
  return { value, ...(seconds !== undefined && seconds > 0 && { lifetime: seconds * 1000 }) }
}
