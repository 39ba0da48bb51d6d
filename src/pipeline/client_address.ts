import { BlockList, isIP } from 'node:net'
import type { Inbound } from './contract/inbound.ts'

/** Of networks that are nobody's on the internet: proxies of our own (RFC 1918, RFC 4193, and what is local). */
const internal = new BlockList()
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  internal.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  internal.addSubnet(network, prefix, 'ipv6')
}

/**
 * The client's address: the nearest one in X-Forwarded-For that is none of our own networks, else the peer's. That header is
 * there only when it is believed. Its first entry would be whatever the client says of itself.
 */
export function clientAddress({ headers, remoteAddress }: Inbound): string {
  const entries = headers.all('x-forwarded-for').flatMap((line) => line.split(','))
  const nearest = entries.findLast((entry) => {
    const ip = entry.trim()
    const version = isIP(ip)
    return version !== 0 && !internal.check(ip, version === 4 ? 'ipv4' : 'ipv6')
  })
  return nearest?.trim() ?? remoteAddress
}
