/**
 * `/sessions/whoami` as Kratos answers it, for the caller's own credential: the session, and with `tokenize_as` also a
 * token made of it. Clients made for Kratos can ask here instead.
 */
import { codes, GatewayError } from '../errors.ts'
import type { HeaderLine } from '../pipeline/contract/headers.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { ErrorAnswer } from '../pipeline/contract/outcomes.ts'
import type { Clock, Log } from '../pipeline/contract/runtime.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { SessionAnswer, SessionStore, VerbatimAnswer } from '../pipeline/contract/session_store.ts'
import type { TokenTemplate } from '../pipeline/contract/tokens.ts'
import { requestCookies } from '../pipeline/credentials.ts'
import { errorAnswer } from '../pipeline/error_body.ts'
import { createSessionReader } from '../sessions/reader.ts'
import { goJson, JSON_TYPE } from './answers.ts'

export const WHOAMI_PATH = '/sessions/whoami'

/** Never rejects for what a client or the session store can do. */
export type Whoami = (inbound: Inbound) => Promise<ErrorAnswer>

export interface WhoamiOptions {
  /** Base URL of Kratos' public API. */
  readonly kratos: string
  /** Name of its session cookie. */
  readonly cookie: string
  readonly sessions: SessionStore
  readonly templates: ReadonlyMap<string, TokenTemplate>
  readonly safeguards: Safeguards
  readonly clock: Clock
  readonly log: Pick<Log, 'error'>
}

/** Nobody but the caller may see it: no cache, no other site, and no browser that takes it for something else. */
const PRIVATE: readonly HeaderLine[] = [
  ['Cache-Control', 'private, no-cache, no-store, must-revalidate'],
  ['Vary', 'Cookie'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
]

/** Asks Kratos each time: what is remembered of a session might no longer be true. */
export function createWhoami(options: WhoamiOptions): Whoami {
  const { kratos, sessions, templates, clock, log } = options
  const url = new URL('sessions/whoami', kratos.endsWith('/') ? kratos : `${kratos}/`).href
  // What Kratos says is passed on as it is; it has to be about a session.
  const safeguards = {
    ...options.safeguards,
    session_requirements: 'strict',
    session_unexpected_status: 'unavailable',
  } as const
  const reader = createSessionReader({ subject_from: 'identity.id', extra_from: '@this' }, safeguards, clock)

  async function ask(credentials: readonly HeaderLine[]): Promise<SessionAnswer> {
    let answer: SessionAnswer = { outcome: 'denied', error: new GatewayError('credentials_invalid'), setCookie: [] }
    for (const credential of credentials) {
      answer = await sessions.ask({ url, method: 'GET', headers: [credential], reader, verbatim: true })
      // A cookie that Kratos does not take leaves the bearer token to be looked at.
      if (answer.outcome !== 'denied' || answer.error.code !== 'credentials_invalid') break
    }
    return answer
  }

  async function tokenize(name: string, session: Session, inbound: Inbound): Promise<string> {
    const template = templates.get(name)
    if (template === undefined) throw malformed(`Unable to find tokenizer template "${name}".`)
    try {
      return await template.issue({ inbound, session, captures: [], edits: [] })
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code === 'credentials_invalid') throw error
      log.error({ template: name, code: error.code, detail: error.detail }, 'A token could not be made of a session')
      throw tokenizerError(error)
    }
  }

  return async (inbound) => {
    const answer = await ask(credentialsOf(inbound, options.cookie))
    if (answer.outcome !== 'session') return refusal(answer.error, inbound)
    const { session, setCookie, verbatim } = answer
    const name = new URLSearchParams(inbound.query).get('tokenize_as') ?? ''
    try {
      const token = name === '' ? undefined : await tokenize(name, session, inbound)
      // As in Kratos: an answer with a token is for this once.
      const cacheFor = token === undefined ? verbatim?.cacheFor : undefined
      return {
        status: 200,
        headers: [
          ['Content-Type', JSON_TYPE],
          ...PRIVATE,
          ['X-Kratos-Authenticated-Identity-Id', session.subject],
          ...(cacheFor === undefined ? [] : [['Ory-Session-Cache-For', String(cacheFor / 1000)] as const]),
          ...setCookie.map((value): HeaderLine => ['Set-Cookie', value]),
        ],
        body: documentOf(session, verbatim, token),
      }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      return refusal(error, inbound)
    }
  }
}

/**
 * Kratos' own text where there is one, and the token added to it: read and written again, integers beyond 2^53 would come
 * out as others.
 */
function documentOf({ extra }: Session, verbatim: VerbatimAnswer | undefined, token: string | undefined): string {
  const added = token === undefined ? {} : { tokenized: token }
  if (verbatim === undefined || Object.hasOwn(extra ?? {}, 'tokenized')) return `${goJson({ ...extra, ...added })}\n`
  if (token === undefined) return verbatim.body
  const open = verbatim.body.slice(0, verbatim.body.lastIndexOf('}'))
  return `${open},${goJson(added).slice(1)}\n`
}

/**
 * The caller's credentials in Kratos' order, each to be sent alone: a session token wins over all else, a cookie over a
 * bearer token.
 */
function credentialsOf(inbound: Inbound, cookieName: string): HeaderLine[] {
  const token = inbound.headers.get('x-session-token')
  if (token !== undefined && token !== '') return [['x-session-token', token]]
  const credentials: HeaderLine[] = []
  const [cookie] = requestCookies(inbound, [cookieName])
  if (cookie !== undefined) credentials.push(['cookie', `${cookie.name}=${cookie.value}`])
  const [scheme, bearer, ...rest] = (inbound.headers.get('authorization') ?? '').split(' ')
  if (scheme?.toLowerCase() === 'bearer' && bearer !== undefined && bearer !== '' && rest.length === 0) {
    credentials.push(['authorization', `Bearer ${bearer}`])
  }
  return credentials
}

const malformed = (reason: string): GatewayError => new GatewayError('request_invalid', { reason })

/** What Kratos says of a template that fails; what happened is for the log. */
function tokenizerError({ code, message, headers }: GatewayError): GatewayError {
  if (code === 'signing_key_unavailable') return malformed('Unable to sign JSON Web Token.')
  if (code !== 'template_failed') return new GatewayError(code, { headers })
  return malformed(message === codes.template_failed.message ? 'Unable to render the claims of the template.' : message)
}

function refusal(error: GatewayError, inbound: Inbound): ErrorAnswer {
  const said =
    error.code === 'credentials_invalid'
      ? new GatewayError('credentials_invalid', {
          message: 'The request could not be authorized',
          reason: 'No valid session credentials found in the request.',
        })
      : error
  const verbose = ['credentials_invalid', 'request_invalid'].includes(said.code)
  const answer = errorAnswer(said, inbound, { verbose })
  const kept = answer.headers.filter(([name]) => name.toLowerCase() !== 'cache-control')
  const id: HeaderLine[] = error.code === 'session_aal2_required' ? [['Ory-Error-Id', error.code]] : []
  return { ...answer, headers: [...kept, ...PRIVATE, ...id] }
}
