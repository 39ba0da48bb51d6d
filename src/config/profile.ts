import type { Safeguards } from '../pipeline/contract/safeguards.ts'

export type Profile = 'oathkeeper' | 'secure'

export interface Safeguard<Value> {
  /** One sentence for the reference and for `validate`. */
  readonly meaning: string
  readonly oathkeeper: Value
  readonly secure: Value
}

/** What each profile sets. The first column keeps existing Oathkeeper files working as they did, the second is what new ones should have. */
export const safeguards: { readonly [Key in keyof Safeguards]: Safeguard<Safeguards[Key]> } = {
  path: {
    meaning:
      'Whether paths with dot segments, `//`, `%2f` and the like are refused with 400, or resolved and then matched and forwarded.',
    oathkeeper: 'resolve',
    secure: 'refuse',
  },
  client_headers: {
    meaning:
      'Whether identity headers, `x-hasura-*`, Authorization and session credentials of the client reach the upstream, and whether a remote authorizer or the hydrator gets headers of the client unasked. X-Forwarded-* of clients are dropped in both profiles unless `serve.proxy.trust_forwarded_headers` is set.',
    oathkeeper: 'pass',
    secure: 'drop',
  },
  forwarded_headers: {
    meaning: 'Whether the upstream gets X-Forwarded-For, -Host and -Proto as the gateway saw them.',
    oathkeeper: 'none',
    secure: 'set',
  },
  session_cookie_responses: {
    meaning:
      "Whether an upstream that is not the session store may set a cookie of the session cookie's name at the client.",
    oathkeeper: 'pass',
    secure: 'drop',
  },
  websockets: {
    meaning:
      'Whether requests become WebSockets only under rules with `upstream.websocket`, which names the origins of pages that may open one, or under any rule.',
    oathkeeper: 'any',
    secure: 'by_rule',
  },
  session_request: {
    meaning:
      "Whether the session store is asked at a fixed URL, with GET and one credential, or with a mixture of that and the client's own request.",
    oathkeeper: 'client',
    secure: 'fixed',
  },
  session_requirements: {
    meaning: 'Whether a session counts only with a subject, active and unexpired.',
    oathkeeper: 'lenient',
    secure: 'strict',
  },
  session_unexpected_status: {
    meaning: 'Whether an unexpected status of the session store is told as an outage (503) or as a refusal (401).',
    oathkeeper: 'denied',
    secure: 'unavailable',
  },
  missing_field: {
    meaning: 'Whether a field that a template reads and the session lacks fails the request or counts as empty.',
    oathkeeper: 'empty',
    secure: 'error',
  },
  invalid_rules: {
    meaning: 'Whether an invalid rule refuses the whole set, or loads and answers 500.',
    oathkeeper: 'isolate',
    secure: 'refuse',
  },
  missing_rule_files: {
    meaning:
      'Whether a rule file that is missing or cannot be decoded refuses the start and the reload, or is only warned of.',
    oathkeeper: 'warn',
    secure: 'refuse',
  },
  missing_signing_keys: {
    meaning: 'Whether a key set that cannot sign refuses the start, or makes the rules that need it answer 500.',
    oathkeeper: 'isolate',
    secure: 'refuse',
  },
  token_backdate: {
    meaning: 'By how many seconds iat and nbf are back-dated, for verifiers whose clock is behind.',
    oathkeeper: 0,
    secure: 5,
  },
  token_lifetime: {
    meaning: 'Whether a token ends with its session at the latest, or always lives for its ttl.',
    oathkeeper: 'ttl',
    secure: 'session',
  },
}

const names = Object.keys(safeguards) as (keyof Safeguards)[]

/** Safeguards that a config sets singly. */
export type WrittenSafeguards = { readonly [Key in keyof Safeguards]?: Safeguards[Key] | undefined }

/** The safeguards in force: what is set singly, else what the profile says. */
export function resolveSafeguards(profile: Profile, written: WrittenSafeguards): Safeguards {
  return Object.fromEntries(
    names.map((name) => [name, written[name] ?? safeguards[name][profile]]),
  ) as unknown as Safeguards
}

export interface ReliedDefault {
  readonly name: keyof Safeguards
  readonly meaning: string
  readonly value: string | number
  /** What the profile `secure` would say. */
  readonly secure: string | number
}

/** The safeguards that a config leaves to its profile. */
export function reliedDefaults(profile: Profile, written: WrittenSafeguards): ReliedDefault[] {
  return names
    .filter((name) => written[name] === undefined)
    .map((name) => {
      const { meaning, secure, [profile]: value } = safeguards[name]
      return { name, meaning, value, secure }
    })
}
