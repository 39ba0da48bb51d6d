/** Turns the JSON of the session store into a session, as `subject_from` and `extra_from` say. */
import { GatewayError } from '../errors.ts'
import { compileGjson, GjsonLimitError, type GjsonPath, GjsonPathError } from '../languages/gjson/index.ts'
import { ConfigError } from '../pipeline/contract/config_error.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'
import type { Session, SessionAuthentication } from '../pipeline/contract/session.ts'
import type { SessionReader } from '../pipeline/contract/session_store.ts'
import type { Json, JsonObject } from '../pipeline/contract/values.ts'
import { sessionStoreUnavailable } from './answer.ts'

export interface ReaderSettings {
  /** gjson path to a string. */
  readonly subject_from: string
  /** gjson path to an object. */
  readonly extra_from: string
}

/**
 * With `session_requirements: strict` a session counts only when it has a subject, is active and has not ended;
 * a document without these is an answer nobody can rely on, so an outage and not a refusal.
 * Throws ConfigError for a path that is none.
 */
export function createSessionReader(settings: ReaderSettings, safeguards: Safeguards, clock: Clock): SessionReader {
  const subjectPath = compilePath(settings, 'subject_from')
  const extraPath = compilePath(settings, 'extra_from')
  const strict = safeguards.session_requirements === 'strict'
  const unexpectedIsOutage = safeguards.session_unexpected_status === 'unavailable'

  return {
    key: JSON.stringify([settings.subject_from, settings.extra_from, strict, unexpectedIsOutage]),
    read(document) {
      const known = identification(document)
      if (strict) {
        const refusal = checkLife(document, known.expiresAt, clock.now())
        if (refusal !== undefined) return refusal
      }
      const subject = pick(subjectPath, document)
      if (subject instanceof GatewayError) return subject
      const extra = pick(extraPath, document)
      if (extra instanceof GatewayError) return extra
      if (subject !== undefined && subject !== null && typeof subject !== 'string')
        return wrongType('subject_from', 'a string')
      if (extra !== undefined && extra !== null && !isObject(extra)) return wrongType('extra_from', 'an object')
      if (strict && (subject === undefined || subject === null || subject === '')) {
        return sessionStoreUnavailable('the session store answered without a subject')
      }
      return { subject: subject ?? '', extra: extra ?? null, ...known }
    },
    unexpected(status) {
      if (unexpectedIsOutage && status === 403)
        return new GatewayError('access_denied', { detail: 'the session store answered 403' })
      const detail = `the session store answered ${status}`
      return unexpectedIsOutage ? sessionStoreUnavailable(detail) : new GatewayError('credentials_invalid', { detail })
    },
  }
}

/** Reads of a session nothing but whose it is, and requires nothing of it. */
export const idReader: SessionReader = {
  key: 'ids',
  read: (document) => ({ subject: '', extra: null, ...identification(document) }),
  unexpected: (status) => new GatewayError('credentials_invalid', { detail: `the session store answered ${status}` }),
}

function compilePath(settings: ReaderSettings, key: keyof ReaderSettings): GjsonPath {
  try {
    return compileGjson(settings[key])
  } catch (error) {
    if (error instanceof GjsonPathError) throw new ConfigError(error.message, [key])
    throw error
  }
}

/** What the path leads to; a document that is too large to be searched is no refusal of the user. */
function pick(path: GjsonPath, document: Json | undefined): unknown {
  try {
    // A path that makes an object makes an empty one of nothing, as in Oathkeeper.
    return path.get(document ?? null)
  } catch (error) {
    if (error instanceof GjsonLimitError) return sessionStoreUnavailable(error.message)
    throw error
  }
}

function checkLife(document: Json | undefined, expiresAt: number | undefined, now: number): GatewayError | undefined {
  if (!isObject(document)) return sessionStoreUnavailable('the session store answered 200 without a JSON object')
  const { active } = document
  if (active === false || stateOf(document['identity']) === 'inactive')
    return new GatewayError('credentials_invalid', { detail: 'the session is not active' })
  if (active !== true || expiresAt === undefined) {
    return sessionStoreUnavailable('the session store answered without `active` or `expires_at`')
  }
  return expiresAt > now ? undefined : new GatewayError('credentials_invalid', { detail: 'the session has expired' })
}

function stateOf(identity: Json | undefined): Json | undefined {
  return isObject(identity) ? identity['state'] : undefined
}

type Identification = Pick<Session, 'id' | 'identity' | 'expiresAt' | 'changedAt' | 'authentication'>

function identification(document: Json | undefined): Identification {
  if (!isObject(document)) return {}
  // Member by member: this is done for every answer, and spreading what may be absent costs more than all the rest.
  const known: { -readonly [Key in keyof Identification]: Identification[Key] } = {}
  const id = idOf(document)
  if (id !== undefined) known.id = id
  const identity = idOf(document['identity'])
  if (identity !== undefined) known.identity = identity
  const expiresAt = timeOf(document['expires_at'])
  if (expiresAt !== undefined) known.expiresAt = expiresAt
  const changedAt = isObject(document['identity']) ? timeOf(document['identity']['updated_at']) : undefined
  if (changedAt !== undefined) known.changedAt = changedAt
  const authentication = authenticationOf(document)
  if (authentication !== undefined) known.authentication = authentication
  return known
}

function idOf(value: Json | undefined): string | undefined {
  return isObject(value) && typeof value['id'] === 'string' && value['id'] !== '' ? value['id'] : undefined
}

function authenticationOf(document: JsonObject): SessionAuthentication | undefined {
  const { authenticator_assurance_level: aal, identity } = document
  const at = timeOf(document['authenticated_at'])
  const methods = textsOf(document['authentication_methods'], ({ method }) => method)
  const addresses = isObject(identity) ? identity['verifiable_addresses'] : undefined
  const verified = textsOf(addresses, (address) => (address['verified'] === true ? address['via'] : undefined))
  if (typeof aal !== 'string' && at === undefined && methods.length === 0 && verified.length === 0) return undefined
  return { ...(typeof aal === 'string' && { aal }), ...(at !== undefined && { at }), methods, verified }
}

/** Epoch milliseconds of an RFC 3339 time; undefined for anything else. */
function timeOf(value: Json | undefined): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

/** What `textOf` finds in each object of a list, as far as it is text. */
function textsOf(list: Json | undefined, textOf: (item: JsonObject) => Json | undefined): readonly string[] {
  const texts: string[] = []
  if (!Array.isArray(list)) return texts
  for (const item of list) {
    const text = isObject(item) ? textOf(item) : undefined
    if (typeof text === 'string') texts.push(text)
  }
  return texts
}

function wrongType(key: string, type: string): GatewayError {
  return new GatewayError('session_response_invalid', {
    reason: `The configured ${key} GJSON path returned an error on JSON output: it does not lead to ${type}`,
  })
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
