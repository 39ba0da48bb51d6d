/** Who may call the routes of the API plane that change something: whoever has the token and comes from where it may. */
import { hash, timingSafeEqual } from 'node:crypto'
import { BlockList, isIPv4, isIPv6 } from 'node:net'

const digest = (text: string): Buffer => hash('sha256', text, 'buffer')

/** A check of `Authorization` headers (RFC 6750 section 2.1) against the one token; its time tells nothing about the token. */
export function bearerCheck(token: string): (authorization: string | undefined) => boolean {
  const expected = digest(token)
  return (authorization = '') => {
    const scheme = authorization.slice(0, 7)
    const given = authorization.slice(7)
    // Digests are of one length, whatever was sent.
    return timingSafeEqual(digest(given.trim()), expected) && scheme.toLowerCase() === 'bearer '
  }
}

/** A check of addresses against networks in CIDR notation, which have been checked. */
export function networkCheck(networks: readonly string[]): (address: string) => boolean {
  const allowed = new BlockList()
  for (const network of networks) {
    const [address = '', prefix = ''] = network.split('/')
    allowed.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6')
  }
  return (address) => {
    // A listener on `::` sees IPv4 peers as ::ffff:127.0.0.1.
    const mapped = /^::ffff:(?=\d+\.)/i.test(address) ? address.slice(7) : address
    if (isIPv4(mapped)) return allowed.check(mapped, 'ipv4')
    const [plain = ''] = mapped.split('%')
    return isIPv6(plain) && allowed.check(plain, 'ipv6')
  }
}
