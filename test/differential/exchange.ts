/** One request to one program: what the client got and what the services heard, brought into a comparable form. */
import { parsed, sorted } from './json.ts'
import type { RawResponse } from '../support/raw-client.ts'
import { sendRaw } from '../support/raw-client.ts'
import type { Program } from './programs.ts'
import type { TestRequest } from './scenario.ts'
import { headerOf, type Arrived } from './services/recording_server.ts'
import { readableTokens } from './tokens.ts'

/** What can be seen of an exchange, by name, such as `status`, `header:location` or `upstream.target`. */
export type Facets = ReadonlyMap<string, string>

export interface Exchange {
  readonly facets: Facets
  readonly calls: readonly Arrived[]
}

const patience = 15_000

export async function send(program: Program, request: TestRequest, heard: Arrived[]): Promise<Exchange> {
  heard.length = 0
  const port = request.plane === 'proxy' ? program.proxyPort : program.apiPort
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer in time'), patience)
  })
  const answer = await Promise.race([
    sendRaw(port, requestBytes(request), { head: request.method === 'HEAD' }).catch((error: unknown) => String(error)),
    late,
  ])
  clearTimeout(timer)
  const calls = [...heard]
  return { facets: new Map([...answerFacets(answer), ...calls.flatMap(callFacets(calls))]), calls }
}

export function requestBytes({ method, target, headers, body }: TestRequest): string {
  const announced =
    body === '' && !['POST', 'PUT', 'PATCH'].includes(method) ? [] : [['Content-Length', String(body.length)] as const]
  const lines = [...headers, ...announced].map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** Of the connection and the clock, not of the answer. */
const answerNoise = new Set(['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding'])
/** What each client library adds by itself: of the connection, or its own name. */
const callNoise = new Set(['connection', 'keep-alive', 'content-length', 'transfer-encoding', 'traceparent', 'host'])

function answerFacets(answer: RawResponse | string): [string, string][] {
  if (typeof answer === 'string') return [['status', answer]]
  return [
    ['status', String(answer.status)],
    ...headerFacets('header:', answer.headers, answerNoise),
    ['body', answer.body.toString('latin1')],
  ]
}

const callFacets =
  (all: readonly Arrived[]) =>
  (call: Arrived, index: number): [string, string][] => {
    const before = all.slice(0, index).filter(({ service }) => service === call.service).length
    const prefix = `${call.service}${before === 0 ? '' : before + 1}.`
    return [
      [`${prefix}method`, call.method],
      [`${prefix}target`, call.target],
      [
        `${prefix}host`,
        call.headers
          .filter(([name]) => name.toLowerCase() === 'host')
          .map(([, value]) => value)
          .join(' | '),
      ],
      ...headerFacets(`${prefix}header:`, call.headers, callNoise),
      [`${prefix}body`, canonicalBody(call)],
    ]
  }

/** Values of one name in their order; cookies in several lines and in one mean the same (RFC 9113 section 8.2.3). */
function headerFacets(
  prefix: string,
  headers: readonly (readonly [string, string])[],
  noise: ReadonlySet<string>,
): [string, string][] {
  const byName = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    if (noise.has(key)) continue
    byName.set(key, [...(byName.get(key) ?? []), readableTokens(value)])
  }
  // The names in Vary have no order.
  byName.get('vary')?.sort()
  return [...byName].map(([name, values]) => [prefix + name, values.join(name === 'cookie' ? '; ' : ' | ')])
}

/** JSON and forms in one order; anything else as it is. */
function canonicalBody(call: Arrived): string {
  if (call.service === 'upstream') return call.body
  const text = Buffer.from(call.body, 'latin1').toString()
  if (headerOf(call, 'content-type') === 'application/x-www-form-urlencoded') return text.split('&').sort().join('&')
  const value = parsed(text.replace(/"requestedAt":"[^"]*"/, '"requestedAt":"now"'))
  return value === undefined ? text : readableTokens(JSON.stringify(sorted(value)))
}
