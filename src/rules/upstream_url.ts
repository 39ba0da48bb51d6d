/** What is wrong with an upstream URL, or what of it will not be used. */
export interface UpstreamUrlFault {
  readonly kind: 'invalid' | 'unused'
  readonly message: string
}

/**
 * Takes `upstream.url`; undefined when it is empty (such a rule serves /decisions only) or fine.
 * What a request asks for comes from the client, so that of the upstream's URL only scheme, host, port and path are used.
 */
export function upstreamUrlFault(text: string): UpstreamUrlFault | undefined {
  if (text === '') return undefined
  const invalid = (why: string): UpstreamUrlFault => ({
    kind: 'invalid',
    message: `Value "${withoutCredentials(text)}" of "upstream.url" is not a valid url: ${why}`,
  })
  if (!/^https?:\/\//i.test(text)) return invalid('it has to start with http:// or https://')
  // URL parsers drop these silently.
  if (/[\s\u0000-\u001f\u007f\\]/.test(text)) return invalid('it contains a space, a control character or a backslash')
  const url = URL.parse(text)
  if (url === null || url.hostname === '') return invalid('it has no valid host and port')
  const unused = [
    url.username !== '' || url.password !== '' ? 'credentials' : undefined,
    text.includes('?') ? 'query' : undefined,
    text.includes('#') ? 'fragment' : undefined,
  ].filter((part) => part !== undefined)
  if (unused.length === 0) return undefined
  return { kind: 'unused', message: `The ${unused.join(' and ')} of "upstream.url" will not be used` }
}

function withoutCredentials(text: string): string {
  return text.replace(/\/\/[^/?#]*@/, '//***@')
}
