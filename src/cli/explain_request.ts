/** The request that `explain` is asked about, made as the proxy would read it. */
import type { GatewayError } from '../errors.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import { readInbound } from '../proxy/inbound.ts'
import type { ProxySettings } from '../proxy/settings.ts'
import { CommandError } from './terminal.ts'

export interface ExplainedRequest {
  readonly method: string
  readonly url: string
  /** `Name: value`, as curl's -H. */
  readonly headers: readonly string[]
}

/**
 * The canonical request, or the front gate's refusal. Throws CommandError (wrong usage) for what is no request at all.
 * `addCookies` gives it a session cookie when it has no credentials of its own.
 */
export function readRequest(
  { method, url, headers }: ExplainedRequest,
  settings: ProxySettings,
  addCookies: boolean,
): Inbound | GatewayError {
  const parts = /^(https?):\/\/([^/?#]+)([^#]*)$/i.exec(url)
  const [, scheme, authority, target = ''] = parts ?? []
  if (scheme === undefined || authority === undefined) {
    throw new CommandError(`${JSON.stringify(url)} is not the URL of a request.`, {
      exitCode: 2,
      hint: 'Give scheme, host and path, as the client sees them: https://app.example/notes',
    })
  }
  const rawHeaders = ['Host', authority, ...headers.flatMap(headerLine)]
  const names = new Set(rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()))
  const hasCredentials = ['cookie', 'authorization', 'x-session-token'].some((name) => names.has(name))
  if (addCookies && !hasCredentials) {
    rawHeaders.push('Cookie', settings.sessionCookies.map((name) => `${name}=explained`).join('; '))
  }
  // Untouched by WHATWG URL parsing, which would resolve what the gate is to see.
  const path = target.startsWith('/') ? target : `/${target}`
  return readInbound(
    { method: method.toUpperCase(), url: path, rawHeaders, httpVersion: '1.1' },
    { address: '127.0.0.1', tls: scheme.toLowerCase() === 'https' },
    settings,
  )
}

function headerLine(line: string): [string, string] {
  const colon = line.indexOf(':')
  if (colon < 1) {
    throw new CommandError(`${JSON.stringify(line)} is not a header.`, {
      exitCode: 2,
      hint: "For example: -H 'Accept: text/html'",
    })
  }
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}
