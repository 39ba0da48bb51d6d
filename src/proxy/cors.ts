/** Cross-origin sharing as Oathkeeper's `serve.*.cors` has it (Fetch standard, section 3.3). */
import type { HeaderLine, RequestHeaders } from '../pipeline/contract/headers.ts'

export interface CorsOptions {
  /** Origins, `*`, or one wildcard label in front (`https://*.example.com`); empty means every origin. */
  readonly allowedOrigins: readonly string[]
  readonly allowedMethods: readonly string[]
  readonly allowedHeaders: readonly string[]
  readonly exposedHeaders: readonly string[]
  readonly allowCredentials: boolean
  /** Seconds; 0 says nothing about it. */
  readonly maxAge: number
}

export interface CorsAnswer {
  /** Whether the request is answered with 204 and these headers; else they are added to whatever is answered. */
  readonly preflight: boolean
  readonly headers: readonly HeaderLine[]
}

export type Cors = (method: string, headers: Pick<RequestHeaders, 'get'>) => CorsAnswer

// A browser's list is a few hundred bytes; more is not worth taking apart.
const longestHeaderList = 4096

/**
 * Compiles the options to a function of a request's method and headers. An origin pattern whose wildcard is not one
 * whole label in front of at least two more never matches, so that `https://*.com` or `*example.com` allow nobody.
 */
export function compileCors(options: CorsOptions): Cors {
  const isAllowedOrigin = compileOrigins(options.allowedOrigins)
  const anyOrigin = options.allowedOrigins.length === 0 || options.allowedOrigins.includes('*')
  const methods = new Set(options.allowedMethods.map((method) => method.toUpperCase()))
  const headerNames = new Set([...options.allowedHeaders.map((name) => name.toLowerCase()), 'origin'])
  const anyHeader = headerNames.has('*')
  const exposed = options.exposedHeaders.join(', ')

  const isAllowedMethod = (method: string): boolean => method === 'OPTIONS' || methods.has(method)
  const areAllowedHeaders = (list: string): boolean => {
    if (anyHeader || list === '') return true
    if (list.length > longestHeaderList) return false
    return list.split(',').every((name) => name.trim() === '' || headerNames.has(name.trim().toLowerCase()))
  }
  const permission = (origin: string): HeaderLine[] => {
    const lines: HeaderLine[] = [['Access-Control-Allow-Origin', anyOrigin && !options.allowCredentials ? '*' : origin]]
    if (options.allowCredentials) lines.push(['Access-Control-Allow-Credentials', 'true'])
    return lines
  }

  const preflight = (origin: string, method: string, requested: string): HeaderLine[] => {
    const lines: HeaderLine[] = [['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers']]
    if (!isAllowedOrigin(origin) || !isAllowedMethod(method) || !areAllowedHeaders(requested)) return lines
    lines.push(...permission(origin), ['Access-Control-Allow-Methods', method])
    if (requested !== '') lines.push(['Access-Control-Allow-Headers', requested])
    if (options.maxAge > 0) lines.push(['Access-Control-Max-Age', String(options.maxAge)])
    return lines
  }

  return (method, headers) => {
    const origin = headers.get('origin') ?? ''
    const wanted = headers.get('access-control-request-method')
    if (method === 'OPTIONS' && wanted !== undefined && wanted !== '') {
      const requested = headers.get('access-control-request-headers') ?? ''
      return { preflight: true, headers: preflight(origin, wanted, requested) }
    }
    const lines: HeaderLine[] = [['Vary', 'Origin']]
    if (isAllowedOrigin(origin) && isAllowedMethod(method)) {
      lines.push(...permission(origin))
      if (exposed !== '') lines.push(['Access-Control-Expose-Headers', exposed])
    }
    return { preflight: false, headers: lines }
  }
}

/**
 * A check of origins against patterns as `allowedOrigins` has them. Patterns in any case; an origin is in small letters
 * (Fetch standard, section 3.2), or it is none.
 */
export function compileOrigins(patterns: readonly string[]): (origin: string) => boolean {
  if (patterns.length === 0 || patterns.includes('*')) return (origin) => origin !== ''
  const exact = new Set<string>()
  const wildcards: (readonly [prefix: string, suffix: string])[] = []
  for (const pattern of patterns.map((text) => text.toLowerCase())) {
    const star = pattern.indexOf('*')
    if (star === -1) exact.add(pattern)
    else if (isBounded(pattern, star)) wildcards.push([pattern.slice(0, star), pattern.slice(star + 1)])
  }
  return (origin) => {
    if (origin === '') return false
    if (exact.has(origin)) return true
    return wildcards.some(
      ([prefix, suffix]) =>
        origin.length > prefix.length + suffix.length &&
        origin.startsWith(prefix) &&
        origin.endsWith(suffix) &&
        areLabels(origin.slice(prefix.length, origin.length - suffix.length)),
    )
  }
}

/** Whether the wildcard of a pattern stands for labels in front of a name of at least two: `scheme://*.` and then the name. */
export function isBounded(pattern: string, star: number): boolean {
  const suffix = pattern.slice(star + 1)
  const [host = ''] = suffix.split(':')
  const labels = host.split('.')
  return (
    pattern.slice(0, star).endsWith('://') &&
    !suffix.includes('*') &&
    labels[0] === '' &&
    labels.length >= 3 &&
    labels.slice(1).every((label) => label !== '')
  )
}

/** Only what can stand in a host name, so that a port, a path or user information cannot hide in the wildcard. */
function areLabels(text: string): boolean {
  return text.split('.').every((label) => label !== '' && /^[a-z0-9_-]+$/.test(label))
}
