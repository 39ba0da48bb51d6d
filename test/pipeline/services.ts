/** A rule whose authorizer or mutator asks a service, and the requests that it decides about. */
import type { Decision } from '../../src/pipeline/contract/decision.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import type { JsonObject } from '../../src/pipeline/contract/values.ts'
import { loadGateway, type TestGateway } from '../support/gateway.ts'
import { inboundOf } from '../support/inbound.ts'
import { scripted } from './scenario.ts'

interface Step {
  readonly handler: string
  readonly config?: unknown
}

export interface AskingRule {
  readonly session?: { readonly subject?: string; readonly extra?: JsonObject | null } | undefined
  /** The text that each group of the rule's pattern matches. */
  readonly groups?: readonly string[] | undefined
  readonly authorizer?: Step
  readonly mutators?: readonly Step[]
  /** Handlers to switch on, with their config. */
  readonly enabled?: Readonly<Record<'authorizers' | 'mutators', Readonly<Record<string, object>>>>
  /** Further sections of the config. */
  readonly config?: object
}

const switchedOn = (handlers: Readonly<Record<string, object>> = {}): object =>
  Object.fromEntries(Object.entries(handlers).map(([name, config]) => [name, { enabled: true, config }]))

export async function loadAskingRule(rule: AskingRule): Promise<TestGateway> {
  const { session = {}, groups = [], authorizer = { handler: 'allow' }, mutators = [{ handler: 'noop' }] } = rule
  const segments = groups.map(() => '/<[^/]+>').join('')
  return loadGateway({
    handlers: scripted(),
    config: {
      authenticators: { scripted: { enabled: true } },
      authorizers: { allow: { enabled: true }, ...switchedOn(rule.enabled?.authorizers) },
      mutators: { noop: { enabled: true }, ...switchedOn(rule.enabled?.mutators) },
      errors: { handlers: { json: { enabled: true, config: { verbose: true } } } },
      ...rule.config,
    },
    rules: [
      {
        id: 'asks',
        match: { url: `http://gw.example${segments}`, methods: ['GET', 'POST'] },
        authenticators: [{ handler: 'scripted', config: { ...session } }],
        authorizer,
        mutators,
        upstream: { url: 'http://127.0.0.1:9' },
      },
    ],
  })
}

export interface AskingRequest {
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: string
  readonly body?: string
}

/** Decides about a request that the rule matches. */
export async function decideOn(
  { gateway }: TestGateway,
  { headers = {}, query = '', body }: AskingRequest = {},
  groups: readonly string[] = [],
): Promise<Decision> {
  const path = groups.map((group) => `/${group}`).join('')
  const inbound: Inbound = {
    ...inboundOf(`http://gw.example${path}${query === '' ? '' : `?${query}`}`, { method: 'POST', headers }),
    // The pattern of a rule without groups has no path.
    ...(path === '' && { path: '' }),
    ...(body !== undefined && { readBody: () => Promise.resolve(Buffer.from(body)) }),
  }
  return gateway.decide(inbound)
}
