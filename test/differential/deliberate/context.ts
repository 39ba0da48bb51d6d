/** What a declared difference is made of, and what it may look at. */
import type { Difference } from '../compare.ts'
import type { Exchange } from '../exchange.ts'
import type { Scenario, TestRequest } from '../scenario.ts'
import { headerOf, type Arrived } from '../services/recording_server.ts'

export interface Context {
  readonly scenario: Scenario
  readonly request: TestRequest
  readonly theirs: Exchange
  readonly ours: Exchange
}

export interface Deliberate {
  readonly name: string
  readonly reason: string
  /** Of form alone: nobody reads the difference out of the answer. */
  readonly formal?: true
  /** Whether it decides about the whole exchange: status, answer, and whether anybody else is asked. */
  readonly decides?: (context: Context) => boolean
  /** Whether it accounts for one difference. */
  readonly covers?: (difference: Difference, context: Context) => boolean
}

export const status = ({ facets }: Exchange): string => facets.get('status') ?? ''
export const body = ({ facets }: Exchange): string => facets.get('body') ?? ''
export const header = (request: TestRequest, name: string): string => headerOf(request, name)
export const called = ({ calls }: Exchange, service: string): readonly Arrived[] =>
  calls.filter((call) => call.service === service)

/** Path of the request that a decision is about, or of the request itself. */
export function aboutPath(request: TestRequest): string {
  const target = request.target === '/decisions' ? header(request, 'x-forwarded-uri') : request.target
  return target.split('?')[0] ?? ''
}

/**
 * The templates from which a header, or a part of it, may come: those of this name, the cookies' for `cookie`, and the
 * claims' for `authorization`.
 */
export function templatesOf({ config, rules }: Scenario, name: string): readonly string[] {
  const found: string[] = []
  const visit = (value: unknown, key: string, within: string): void => {
    if (typeof value === 'string') {
      const makesCookie = name.endsWith('cookie') && within === 'cookies'
      const makesToken = name === 'authorization' && key === 'claims'
      if (key.toLowerCase() === name || makesCookie || makesToken) found.push(value)
    } else if (typeof value === 'object' && value !== null) {
      for (const [inner, item] of Object.entries(value)) visit(item, inner, key)
    }
  }
  visit([config, rules], '', '')
  return found
}

export const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A session document without the headers of the connection and the spelling of the path. */
export const withoutNoise = (text = ''): string =>
  text
    .replaceAll(/"(Connection|Te|Upgrade|Keep-Alive|Proxy-[A-Za-z]+|Http2-Settings)":\["[^"]*"\],?/g, '')
    .replace(/"RawPath":"[^"]*"/, '')
    .replace('"ForceQuery":true', '"ForceQuery":false')
    .replaceAll(',}', '}')
