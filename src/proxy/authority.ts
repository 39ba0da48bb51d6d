/** What a Host header may say. One pass over the characters, as for everything that every request brings. */

/** A registered name, IPv4 address or bracketed IPv6 address, with an optional port (RFC 3986 section 3.2). */
export function isAuthority(host: string): boolean {
  let end = host.length
  for (let i = host.length - 1; i >= 0; i--) {
    const code = host.charCodeAt(i)
    if (code >= 0x30 && code <= 0x39) continue
    if (code === 0x3a) {
      const digits = host.length - i - 1
      if (digits === 0 || digits > 5 || Number(host.slice(i + 1)) > 65_535) return false
      end = i
    }
    break
  }
  if (end === 0) return false
  if (host.charCodeAt(0) === 0x5b) return isBracketed(host, end)
  let afterDot = true
  for (let i = 0; i < end; i++) {
    const code = host.charCodeAt(i)
    if (code === 0x2e) {
      // An empty label, or a final dot, names the same host in a second way.
      if (afterDot || i === end - 1) return false
      afterDot = true
      continue
    }
    const lower = code | 0x20
    const letter = lower >= 0x61 && lower <= 0x7a
    if (!letter && !(code >= 0x30 && code <= 0x39) && code !== 0x2d && code !== 0x5f) return false
    afterDot = false
  }
  return true
}

function isBracketed(host: string, end: number): boolean {
  if (end < 4 || host.charCodeAt(end - 1) !== 0x5d) return false
  for (let i = 1; i < end - 1; i++) {
    const code = host.charCodeAt(i)
    const lower = code | 0x20
    if (!(code >= 0x30 && code <= 0x3a) && code !== 0x2e && !(lower >= 0x61 && lower <= 0x66)) return false
  }
  return true
}
