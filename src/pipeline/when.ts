/** `when` of the error handlers: which error of which request a handler answers. */
import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import type { ErrorStep } from './contract/steps.ts'
import { matchesMime, parseMimeList } from './mime.ts'

const cidrs = z.array(
  z.string().refine((text) => parseCidr(text) !== undefined, {
    error: 'must be an address range such as 10.0.0.0/8 or fd00::/8',
  }),
)

export const whenSchema = z
  .array(
    z.strictObject({
      error: z
        .array(
          z.enum([
            'bad_request',
            'unauthorized',
            'forbidden',
            'not_found',
            'too_many_requests',
            'internal_server_error',
            'service_unavailable',
          ]),
        )
        .optional()
        .describe('Errors by the name of their HTTP status; none means any.'),
      request: z
        .strictObject({
          cidr: cidrs.optional().describe("Ranges that hold the client's address."),
          remote_ip: z
            .strictObject({
              match: cidrs.describe("Ranges that hold the client's address."),
              respect_forwarded_for_header: z
                .boolean()
                .default(false)
                .describe('Look at the addresses in X-Forwarded-For, too.'),
            })
            .optional(),
          header: z
            .strictObject({
              content_type: z.array(z.string()).optional().describe('Media types of the request body.'),
              accept: z.array(z.string()).optional().describe('Media types the client accepts.'),
            })
            .optional(),
        })
        .optional(),
    }),
  )
  .optional()
  .describe('The handler answers when one of these fits; absent means always.')

type When = NonNullable<z.output<typeof whenSchema>>
type Condition = ErrorStep['matches']

/**
 * Which outages (503) a handler answers: `any`; `named` by an item, be it as an internal error; or `exact`, by their own
 * name, for a handler that would tell them as a refusal.
 */
type Outages = 'any' | 'named' | 'exact'

/** All conditions of an item must hold; one item is enough; no items means always. */
export function compileWhen(when: When | undefined, { outages }: { readonly outages: Outages }): Condition {
  const unnamed: Condition = outages === 'any' ? () => true : (error) => error.status !== 503
  if (when === undefined || when.length === 0) return unnamed
  const items = when.map((item) => {
    const conditions: Condition[] = []
    const { error: names, request } = item
    conditions.push(names === undefined || names.length === 0 ? unnamed : named(names, outages))
    conditions.push(header('content-type', request?.header?.content_type), header('accept', request?.header?.accept))
    if (request?.cidr !== undefined) conditions.push(addressIn(request.cidr, false))
    if (request?.remote_ip !== undefined) {
      conditions.push(addressIn(request.remote_ip.match, request.remote_ip.respect_forwarded_for_header))
    }
    return conditions
  })
  return (error, inbound, exactly) =>
    items.some((conditions) => conditions.every((condition) => condition(error, inbound, exactly)))
}

type ErrorName = NonNullable<When[number]['error']>[number]

/**
 * A handler for `internal_server_error` also answers the statuses for which Oathkeeper has no name of their own (429 and
 * outages), so that an existing file does not leave them without an answer; one that names them goes before it.
 */
function named(names: readonly ErrorName[], outages: Outages): Condition {
  return ({ status }, _inbound, exactly) => {
    if (names.includes(errorName(status))) return true
    const general = status === 429 || (status === 503 && outages !== 'exact')
    return !exactly && general && names.includes('internal_server_error')
  }
}

function errorName(status: number): ErrorName {
  switch (status) {
    case 400:
    case 431:
      return 'bad_request'
    case 401:
      return 'unauthorized'
    case 403:
      return 'forbidden'
    case 404:
      return 'not_found'
    case 429:
      return 'too_many_requests'
    case 503:
      return 'service_unavailable'
    default:
      return 'internal_server_error'
  }
}

function header(name: string, accepted: readonly string[] | undefined): Condition {
  if (accepted === undefined || accepted.length === 0) return () => true
  return (_error, inbound) =>
    matchesMime(parseMimeList(inbound.headers.get(name) ?? 'application/octet-stream'), accepted)
}

function addressIn(ranges: readonly string[], forwardedToo: boolean): Condition {
  const list = new BlockList()
  for (const range of ranges) {
    const cidr = parseCidr(range)
    if (cidr !== undefined) list.addSubnet(cidr.address, cidr.prefix, cidr.family)
  }
  const holds = (ip: string): boolean => {
    const version = isIP(ip)
    return version !== 0 && list.check(ip, version === 4 ? 'ipv4' : 'ipv6')
  }
  return (_error, inbound) => {
    if (holds(unmapped(inbound.remoteAddress))) return true
    if (!forwardedToo) return false
    return inbound.headers
      .all('x-forwarded-for')
      .some((line) => line.split(',').some((ip) => holds(unmapped(ip.trim()))))
  }
}

/** ::ffff:192.0.2.1 is 192.0.2.1 on a dual-stack socket. */
function unmapped(ip: string): string {
  return ip.toLowerCase().startsWith('::ffff:') && isIP(ip.slice(7)) === 4 ? ip.slice(7) : ip
}

function parseCidr(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0 || prefix === undefined || !/^\d{1,3}$/.test(prefix)) return undefined
  const bits = Number(prefix)
  if (bits > (version === 4 ? 32 : 128)) return undefined
  return { address, prefix: bits, family: version === 4 ? 'ipv4' : 'ipv6' }
}
