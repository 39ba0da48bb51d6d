/** Gives cookies that an upstream sets the domain and the security of the address that the client knows (RFC 6265bis section 4.1). */
import type { CookieRewrite } from '../../pipeline/contract/upstream.ts'

/**
 * A Set-Cookie value with another Domain, Secure by the client's connection, and SameSite=Lax instead of None where it is
 * not Secure, because browsers refuse such a cookie. Name, value and all other attributes keep their bytes.
 */
export function rewriteCookie(line: string, { domain, secure }: CookieRewrite, clientScheme: string): string {
  const [pair = '', ...attributes] = line.split(';')
  const isSecure = secure === 'always' || clientScheme === 'https'
  const kept = attributes.filter((attribute) => {
    const name = nameOf(attribute)
    return name !== 'domain' && name !== 'secure'
  })
  const fitting = isSecure ? kept : kept.map((attribute) => (isNone(attribute) ? ' SameSite=Lax' : attribute))
  if (domain !== '') fitting.push(` Domain=${domain}`)
  if (isSecure) fitting.push(' Secure')
  return [pair, ...fitting].join(';')
}

const nameOf = (attribute: string): string => attribute.split('=', 1)[0]!.trim().toLowerCase()

const isNone = (attribute: string): boolean =>
  nameOf(attribute) === 'samesite' &&
  attribute
    .slice(attribute.indexOf('=') + 1)
    .trim()
    .toLowerCase() === 'none'
