/** Turns the JSON of the session store into a session, as `subject_from` and `extra_from` say. */
import { GatewayError } from '../errors.ts'
import { compileGjson, GjsonLimitError, type GjsonPath, GjsonPathError } from '../languages/gjson/index.ts'
import {
  type Clock,
  ConfigError,
  type Json,
  type JsonObject,
  type Safeguards,
  type Session,
  type SessionAuthentication,
  type SessionReader,
} from '../pipeline/contract.ts'
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
      if (strict) {
        const refusal = checkLife(document, clock.now())
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
      return { subject: subject ?? '', extra: extra ?? null, ...identification(document) }
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

function checkLife(document: Json | undefined, now: number): GatewayError | undefined {
  if (!isObject(document)) return sessionStoreUnavailable('the session store answered 200 without a JSON object')
  const { active, expires_at: end } = document
  if (active === false || stateOf(document['identity']) === 'inactive')
    return new GatewayError('credentials_invalid', { detail: 'the session is not active' })
  const expiresAt = timeOf(end)
  if (active !== true || expiresAt === undefined) {
    return sessionStoreUnavailable('the session store answered without `active` or `expires_at`')
  }
  return expiresAt > now ? undefined : new GatewayError('credentials_invalid', { detail: 'the session has expired' })
}

function stateOf(identity: Json | undefined): Json | undefined {
  return isObject(identity) ? identity['state'] : undefined
}

function identification(
  document: Json | undefined,
): Pick<Session, 'id' | 'identity' | 'expiresAt' | 'changedAt' | 'authentication'> {
  if (!isObject(document)) return {}
  const id = idOf(document)
  const identity = idOf(document['identity'])
  const expiresAt = timeOf(document['expires_at'])
  const changedAt = isObject(document['identity']) ? timeOf(document['identity']['updated_at']) : undefined
  const authentication = authenticationOf(document)
  return {
    ...(id !== undefined && { id }),
    ...(identity !== undefined && { identity }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(changedAt !== undefined && { changedAt }),
    ...(authentication !== undefined && { authentication }),
  }
}

function idOf(value: Json | undefined): string | undefined {
  return isObject(value) && typeof value['id'] === 'string' && value['id'] !== '' ? value['id'] : undefined
}

function authenticationOf(document: JsonObject): SessionAuthentication | undefined {
  const { authenticator_assurance_level: aal, identity } = document
  const at = timeOf(document['authenticated_at'])
  const methods = texts(objects(document['authentication_methods']).map(({ method }) => method))
  const addresses = isObject(identity) ? objects(identity['verifiable_addresses']) : []
  const verified = texts(addresses.filter((address) => address['verified'] === true).map(({ via }) => via))
  if (typeof aal !== 'string' && at === undefined && methods.length === 0 && verified.length === 0) return undefined
  return { ...(typeof aal === 'string' && { aal }), ...(at !== undefined && { at }), methods, verified }
}

/** Epoch milliseconds of an RFC 3339 time; undefined for anything else. */
function timeOf(value: Json | undefined): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

const objects = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const texts = (values: readonly (Json | undefined)[]): readonly string[] =>
  values.filter((value) => typeof value === 'string')

function wrongType(key: string, type: string): GatewayError {
  return new GatewayError('session_response_invalid', {
    reason: `The configured ${key} GJSON path returned an error on JSON output: it does not lead to ${type}`,
  })
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
