/**
 * Sees the calls that end sessions on their way to Kratos. Who is ended is found out before a call goes on, because
 * afterwards nobody could say; that it has happened is told before the client reads the answer.
 */
import { GatewayError } from '../errors.ts'
import type { AllowedDecision, Decision } from '../pipeline/contract/decision.ts'
import type { HeaderLine } from '../pipeline/contract/headers.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { Revocation, Revocations } from '../pipeline/contract/revocations.ts'
import type { Log } from '../pipeline/contract/runtime.ts'
import type { SessionStore } from '../pipeline/contract/session_store.ts'
import type { UpstreamTarget } from '../pipeline/contract/upstream.ts'
import type { Awaitable } from '../pipeline/contract/values.ts'
import { parseCookies } from '../pipeline/credentials.ts'
import { idReader } from '../sessions/reader.ts'
import { endedBy, type Ended, type KratosApi } from './kratos_calls.ts'

export interface ObserverOptions {
  readonly publicUrl: string | undefined
  readonly adminUrl: string | undefined
  /** Name of the session cookie. */
  readonly cookie: string
  readonly sessions: SessionStore
  readonly revocations: Pick<Revocations, 'publish'>
  readonly log: Pick<Log, 'warn'>
  /** The path, with or without a query, under which the upstream gets a request. */
  readonly pathFor: (inbound: Inbound, target: UpstreamTarget) => string
}

/** Takes a decision and gives it back, with a listener for the upstream's answer where it is a call that ends sessions. */
export type Observer = (inbound: Inbound, decision: Decision) => Awaitable<Decision>

/** Bytes of a body that names sessions; Kratos takes 500 ids at a time. */
const MAX_BODY = 64 * 1024

/** Milliseconds after which Kratos has done what it was told by a client that did not wait. */
const AFTERMATH = 2000

interface Api {
  readonly api: KratosApi
  readonly origin: string
  /** Without a trailing slash. */
  readonly base: string
}

/** Undefined when it is not known where Kratos is. */
export function createObserver(options: ObserverOptions): Observer | undefined {
  const apis = [apiAt('admin', options.adminUrl), apiAt('public', options.publicUrl)].filter((api) => api !== undefined)
  if (apis.length === 0) return undefined
  const origins = new Set(apis.map(({ origin }) => origin))

  return (inbound, decision) => {
    if (!decision.allowed || decision.upstream === undefined || !origins.has(decision.upstream.origin)) return decision
    const ended = endedAt(apis, decision.upstream.origin, inbound.method, options.pathFor(inbound, decision.upstream))
    if (ended === undefined) return decision
    const revocations = revocationsOf(ended, inbound, options)
    return revocations instanceof Promise
      ? revocations.then((found) => observed(decision, found, options))
      : observed(decision, revocations, options)
  }
}

function apiAt(api: KratosApi, text: string | undefined): Api | undefined {
  if (text === undefined) return undefined
  const { origin, pathname } = new URL(text)
  return { api, origin, base: pathname.endsWith('/') ? pathname.slice(0, -1) : pathname }
}

function endedAt(apis: readonly Api[], origin: string, method: string, target: string): Ended | undefined {
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  for (const { api, origin: its, base } of apis) {
    const ended =
      its === origin && path.startsWith(`${base}/`) ? endedBy(api, method, path.slice(base.length)) : undefined
    if (ended !== undefined) return ended
  }
  return undefined
}

function observed(
  decision: AllowedDecision,
  found: readonly Revocation[],
  { revocations }: ObserverOptions,
): AllowedDecision {
  if (found.length === 0) return decision
  let told = false
  return {
    ...decision,
    answered(status) {
      if (told) return
      told = true
      // An answer that never came, or tells of a fault, may have been preceded by the deed.
      if (status >= 400 && status < 500) return
      const publish = (): void => {
        for (const revocation of found) revocations.publish(revocation, 'observed')
      }
      publish()
      // Whoever hangs up, as browsers do that leave a page, may be ahead of Kratos.
      if (status === 0) setTimeout(publish, AFTERMATH).unref()
    },
  }
}

function revocationsOf(ended: Ended, inbound: Inbound, options: ObserverOptions): Awaitable<readonly Revocation[]> {
  switch (ended.whose) {
    case 'named':
      return [ended.revocation]
    case 'caller':
      return callers(credentialsOf(inbound, options.cookie), ended.scope, options)
    case 'token in body':
      return tokenInBody(inbound, options)
    case 'list in body':
      return listInBody(inbound)
  }
}

/** Every credential by which Kratos might take the request for somebody's, each to be asked about by itself. */
function credentialsOf({ headers }: Inbound, cookie: string): readonly HeaderLine[] {
  const lines: HeaderLine[] = []
  for (const { name, value } of parseCookies(headers.all('cookie'), [cookie]))
    lines.push(['cookie', `${name}=${value}`])
  const authorization = headers.get('authorization')
  if (authorization !== undefined && /^bearer ory_st_/i.test(authorization))
    lines.push(['authorization', authorization])
  const token = headers.get('x-session-token')
  if (token !== undefined) lines.push(['x-session-token', token])
  return lines.slice(0, MAX_CREDENTIALS)
}

/** Nobody can make one request into a flood of questions. */
const MAX_CREDENTIALS = 3

async function callers(
  credentials: readonly HeaderLine[],
  scope: 'session' | 'identity',
  { publicUrl, sessions, log }: ObserverOptions,
): Promise<readonly Revocation[]> {
  if (publicUrl === undefined) return []
  const url = new URL('sessions/whoami', publicUrl.endsWith('/') ? publicUrl : `${publicUrl}/`).href
  const answers = await Promise.all(
    credentials.map(async (credential) =>
      sessions.ask({ url, method: 'GET', headers: [credential], reader: idReader }),
    ),
  )
  return answers.flatMap((answer): Revocation[] => {
    if (answer.outcome === 'unavailable') {
      log.warn(
        { code: answer.error.code },
        'A call that ends a session was not recognised: Kratos did not say whose it is',
      )
    }
    if (answer.outcome !== 'session') return []
    const { id, identity } = answer.session
    if (scope === 'identity') return identity === undefined ? [] : [{ identity }]
    return id === undefined ? [] : [{ session: id }]
  })
}

async function tokenInBody(inbound: Inbound, options: ObserverOptions): Promise<readonly Revocation[]> {
  const token = member(await bodyOf(inbound), 'session_token')
  return typeof token === 'string' && isHeaderValue(token)
    ? callers([['x-session-token', token]], 'session', options)
    : []
}

const isHeaderValue = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** POST /admin/sessions: `sessions` or `identities`, of which `*` stands for all. */
async function listInBody(inbound: Inbound): Promise<readonly Revocation[]> {
  const body = await bodyOf(inbound)
  const identities = texts(member(body, 'identities'))
  // What cannot be read may be anybody.
  if (body === undefined || identities.includes('*')) return [{ everything: true }]
  return [
    ...identities.map((identity): Revocation => ({ identity })),
    ...texts(member(body, 'sessions')).map((session): Revocation => ({ session })),
  ]
}

async function bodyOf({ readBody }: Inbound): Promise<unknown> {
  if (readBody === undefined) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(await readBody(MAX_BODY)))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    if (error instanceof GatewayError && error.code === 'body_too_large') return undefined
    throw error
  }
}

function member(document: unknown, name: string): unknown {
  return typeof document === 'object' && document !== null
    ? (document as Readonly<Record<string, unknown>>)[name]
    : undefined
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
