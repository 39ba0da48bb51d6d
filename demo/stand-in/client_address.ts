/** The device of a login: where it came from, as the proxies in front say, and with what. */
import { randomUUID } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import type { Call } from './http.ts'
import type { Device } from './store.ts'

const privateAddresses = new BlockList()
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
] as const) {
  privateAddresses.addSubnet(network, bits, 'ipv4')
}
privateAddresses.addAddress('::1', 'ipv6')
privateAddresses.addSubnet('fc00::', 7, 'ipv6')
privateAddresses.addSubnet('fe80::', 10, 'ipv6')

const isPrivate = (address: string): boolean => privateAddresses.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

const clientAddress = (call: Call): string => {
  const named = call.header('true-client-ip') ?? call.header('cf-connecting-ip') ?? call.header('x-real-ip')
  if (named !== undefined) return named
  const chain = call.header('x-forwarded-for')
  if (chain === undefined) return call.request.socket.remoteAddress ?? ''
  return (
    chain
      .split(',')
      .map((address) => address.trim())
      .findLast((address) => isIP(address) !== 0 && !isPrivate(address)) ?? ''
  )
}

export const deviceOf = (call: Call): Device => ({
  id: randomUUID(),
  ip_address: clientAddress(call),
  user_agent: call.request.headersDistinct['user-agent']?.join(' ') ?? '',
  location: [call.header('cf-ipcity'), call.header('cf-ipcountry')].filter((part) => part !== undefined).join(', '),
})
