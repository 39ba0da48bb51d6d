/**
 * Which names the API plane answers to. A web page can make a browser send requests to any address under the page's own
 * host name (DNS rebinding); it cannot make it send another Host header.
 */

/**
 * A check of Host headers against `serve.api.allowed_hosts`: lower-case names with or without port, loopback names
 * included. Without a list every name is answered, as Oathkeeper does.
 */
export function hostCheck(allowed: readonly string[] | undefined): (host: string | undefined) => boolean {
  if (allowed === undefined) return () => true
  const names = new Set(allowed)
  return (host) => {
    if (host === undefined) return false
    const name = host.toLowerCase()
    return names.has(name) || names.has(withoutPort(name))
  }
}

function withoutPort(host: string): string {
  const end = host.lastIndexOf(':')
  // The colons of an IPv6 address stand inside brackets.
  return end > host.lastIndexOf(']') ? host.slice(0, end) : host
}
