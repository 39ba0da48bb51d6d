/** What is asked of the session store for a request: the keys that cookie_session and bearer_token share, and their meaning. */
import { z } from 'zod'
import type { HeaderLine } from '../pipeline/contract/headers.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { SessionQuestion, SessionReader } from '../pipeline/contract/session_store.ts'
import { cacheField } from './policy.ts'
import { requireField } from './requirements.ts'

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name')

export const questionFields = {
  check_session_url: z
    .url({ protocol: /^https?$/ })
    .describe('Where the session is checked, such as http://kratos:4433/sessions/whoami.'),
  preserve_query: z
    .boolean()
    .default(true)
    .describe('true: the query of check_session_url is used; false: that of the request.'),
  preserve_path: z
    .boolean()
    .default(false)
    .describe('true: the path of check_session_url is used; false: that of the request. Kratos needs true.'),
  preserve_host: z.boolean().default(false).describe("Send the request's Host as X-Forwarded-Host."),
  force_method: z.string().min(1).optional().describe("Method of the call; absent means the request's own."),
  forward_http_headers: z.array(headerName).default([]).describe('Request headers that are sent along.'),
  additional_headers: z.record(headerName, z.string()).default({}).describe('Headers that are added to the call.'),
  cache: cacheField,
  require: requireField,
  extra_from: z.string().default('extra').describe('gjson path to the object that templates see as Extra.'),
}

export type QuestionConfig = z.output<z.ZodObject<typeof questionFields>>

/** Headers that carry a session: in a fixed question only the chosen one of them is sent. */
const CREDENTIALS: ReadonlySet<string> = new Set(['cookie', 'authorization', 'x-session-token'])

/** A function from the request and its credential to the question. Everything that does not depend on the request is done once. */
export function questionMaker(
  config: QuestionConfig,
  options: { readonly fixed: boolean; readonly reader: SessionReader },
): (inbound: Inbound, credential: HeaderLine | undefined) => SessionQuestion {
  const { fixed, reader } = options
  const url = new URL(config.check_session_url)
  const configuredPath = url.pathname
  const forwarded = config.forward_http_headers.map((name) => name.toLowerCase())
  const sent = fixed ? forwarded.filter((name) => !CREDENTIALS.has(name)) : forwarded
  const additional = Object.entries(config.additional_headers).map(([name, value]): HeaderLine => [
    name.toLowerCase(),
    value,
  ])

  const { href } = url
  if (fixed && sent.length === 0 && additional.length === 0 && !config.preserve_host) {
    // What most rules ask, for every request of theirs: nothing but the credential.
    return (_inbound, credential) => ({
      url: href,
      method: 'GET',
      headers: credential === undefined ? [] : [credential],
      reader,
    })
  }

  return (inbound, credential) => {
    const headers = new Map<string, string>()
    for (const name of sent) {
      const lines = inbound.headers.all(name)
      // RFC 9110 section 5.3, and RFC 9113 section 8.2.3 for cookies: one line that says what several did.
      if (lines.length > 0) headers.set(name, lines.join(name === 'cookie' ? '; ' : ', '))
    }
    if (credential !== undefined) headers.set(credential[0], credential[1])
    for (const [name, value] of additional) headers.set(name, value)
    if (config.preserve_host) headers.set('x-forwarded-host', inbound.host)
    if (fixed) return { url: href, method: 'GET', headers: [...headers], reader }
    const path = config.preserve_path ? configuredPath : withoutTrailingSlash(inbound.target)
    const search = config.preserve_query ? url.search : inbound.query === '' ? '' : `?${inbound.query}`
    return {
      url: url.origin + path + search,
      method: config.force_method ?? inbound.method,
      headers: [...headers],
      reader,
    }
  }
}

function withoutTrailingSlash(target: string): string {
  return target.length > 1 && target.endsWith('/') ? target.slice(0, -1) : target
}
