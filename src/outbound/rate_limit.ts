import { GatewayError } from '../errors.ts'
import type { HeaderLine } from '../pipeline/contract/headers.ts'
import type { HttpResponse } from '../pipeline/contract/http_client.ts'

const HEADERS = ['Retry-After', 'X-Ratelimit-Limit', 'X-Ratelimit-Remaining', 'X-Ratelimit-Reset', 'X-Ratelimit-Type']

/** The error for a 429 of a service: the client gets the headers that say when to come back. */
export function rateLimited({ headers }: Pick<HttpResponse, 'headers'>): GatewayError {
  return new GatewayError('rate_limited', {
    headers: HEADERS.flatMap((name): HeaderLine[] => {
      const value = headers[name.toLowerCase()]
      const first = typeof value === 'string' ? value : value?.[0]
      return first === undefined ? [] : [[name, first]]
    }),
  })
}
