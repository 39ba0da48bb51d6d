/**
 * What `mintkeeper validate` notes about a config that was written for Oathkeeper: each key or construct that does something
 * else here, and what to do. The subjects are those of the table in docs/migrating-from-oathkeeper.md; a test holds the two
 * together. Longer than most files because it is one table.
 */
import { isMap } from '../documents/layers.ts'
import { inReadingOrder, type Locate, type Problem } from '../documents/problem.ts'
import type { LoadedRule } from '../rules/rule.ts'
import { readWritten, type Spot, type Written } from './written.ts'

interface Difference {
  /** Rows of the table. */
  readonly subjects: readonly string[]
  /** One sentence: what it does here. */
  readonly message: string
  /** One sentence: what to do. */
  readonly hint: string
  /** Nothing has to be done about it. */
  readonly information?: true
  /** Where a config or rule is concerned. */
  readonly find: (written: Written) => readonly Spot[]
}

const listeners = ['serve.proxy', 'serve.api'] as const
const redirecting = ['redirect', 'www_authenticate'] as const
const errorHandlers = ['json', ...redirecting] as const

export const differences: readonly Difference[] = [
  {
    subjects: ['session store unreachable, slow, 5xx, half a JSON'],
    message: 'An outage of the session store is answered with 503 and Retry-After, not with 401 or 403',
    hint: 'Let alerts and clients that took these for an outage look for 503.',
    find: ({ enabled }) => [
      ...enabled('authenticators', 'cookie_session'),
      ...enabled('authenticators', 'bearer_token'),
    ],
  },
  {
    subjects: ["Kratos' 403 `session_aal2_required`", '`Set-Cookie` of the session store'],
    message: "Kratos' 403 for a missing second factor stays a 403 with its body, and its Set-Cookie reaches the client",
    hint: 'An error handler that sends users to the second factor has to name `forbidden`.',
    find: ({ enabled }) => enabled('authenticators', 'cookie_session'),
  },
  {
    subjects: ['a trait inside a claims template'],
    message:
      'A value inside a JSON string of this template is escaped for it, and outside of one must be one JSON value',
    hint: 'A template that puts JSON together from parts should let toJson write them.',
    find: ({ setting }) => templated(setting('mutators', 'id_token', 'claims')),
  },
  {
    subjects: ['tokens after a changed key'],
    message: 'Tokens are made anew when the signing key changes',
    hint: 'Keep the public half of an old key published until its last token has expired.',
    information: true,
    find: ({ enabled }) => enabled('mutators', 'id_token'),
  },
  {
    subjects: ['header and cookie templates'],
    message: 'An edited template takes effect with the reload, not after a restart',
    hint: 'Restarts for this purpose can go; rules of the same id no longer share a template.',
    information: true,
    find: ({ enabled }) => [...enabled('mutators', 'header'), ...enabled('mutators', 'cookie')],
  },
  {
    subjects: ['several `cookie` mutators in a rule'],
    message: 'This cookie mutator builds on what the one before it left',
    hint: 'If it is meant to start from what the client sent, leave the one before it out.',
    find: ({ rules }) => rules.flatMap(repeatedCookieMutators),
  },
  {
    subjects: ['multi-value request headers behind `noop`'],
    message: 'Headers with several values reach the upstream as they came, not only their first value',
    hint: 'Nothing, unless the upstream relies on one value; on /decisions the first value counts, as before.',
    information: true,
    find: ({ enabled }) => enabled('mutators', 'noop'),
  },
  {
    subjects: ['`timeout.read`, `timeout.write`'],
    message: 'This limits how long nothing may move, not the whole request or response',
    hint: 'A value that was raised for the sake of streams or uploads can be lowered again.',
    information: true,
    find: ({ key }) => listeners.flatMap((name) => [...key(`${name}.timeout.read`), ...key(`${name}.timeout.write`)]),
  },
  {
    subjects: ['`cors.debug`'],
    message: 'This has no effect',
    hint: 'Remove it; the log has a line for each decision.',
    information: true,
    find: ({ key }) => listeners.flatMap((name) => isTrue(key(`${name}.cors.debug`))),
  },
  {
    subjects: ['`serve.prometheus.metrics_path`'],
    message: 'Metrics are served on this path alone',
    hint: 'Let Prometheus scrape this path, or remove the key: then every path answers, as before.',
    find: ({ key }) => key('serve.prometheus.metrics_path').filter(({ value }) => value !== '/metrics'),
  },
  {
    subjects: ['`serve.prometheus.collapse_request_paths: false`'],
    message: 'The label `request` has the path without its query, and after 50 paths it is `other`',
    hint: 'Dashboards that need a path of its own can select by `rule_id` of `…decisions_total`.',
    find: ({ key }) => key('serve.prometheus.collapse_request_paths').filter(({ value }) => value === false),
  },
  {
    subjects: ['`log.leak_sensitive_values`'],
    message: 'This has no effect: secrets are never logged',
    hint: 'Remove it; log lines carry a short hash of the session to tell sessions apart.',
    information: true,
    find: ({ key }) => isTrue(key('log.leak_sensitive_values')),
  },
  {
    subjects: ['`log.format: text` in a pipe or file'],
    message: 'Log lines are JSON unless stdout is a terminal',
    hint: 'Let collectors that expect key=value lines read JSON.',
    find: ({ key }) => key('log.format').filter(({ value }) => value === 'text'),
  },
  {
    subjects: ['`tracing`'],
    message: 'This has no effect: spans go to whatever OpenTelemetry SDK the process registers',
    hint: 'Start with `node --import ./otel.mjs`; examples/opentelemetry has such a file and the variable for each key.',
    find: ({ key }) => key('tracing'),
  },
  {
    subjects: ['`profiling`'],
    message: 'This has no effect',
    hint: 'Remove it; profile with `node --cpu-prof` or `node --heap-prof`.',
    information: true,
    find: ({ key }) => key('profiling').filter(({ value }) => value !== ''),
  },
  {
    subjects: ['rules from `http(s)://`, `s3://`, `gs://`, `azblob://`'],
    message: 'This is asked for changes every 30 s, and query parameters of object storage count',
    hint: 'Restarts for new rules can go; parameters that were ignored so far should be right.',
    information: true,
    find: ({ items }) => items('access_rules.repositories').filter(({ value }) => isRemote(value)),
  },
  {
    subjects: ['`when.request.cidr` and `remote_ip`'],
    message: 'The address range of `when` counts: this handler answers clients in it only',
    hint: 'Remove `cidr` if the handler is to go on answering everybody.',
    find: ({ setting }) => conditionsWith(setting, ({ request }) => isMap(request) && 'cidr' in request),
  },
  {
    subjects: ['a `Content-Type` that is none, under `when`'],
    message: 'A Content-Type that is none fits no `content_type`, where it was answered with 500',
    hint: 'Nothing, unless such requests need a handler of their own.',
    information: true,
    find: ({ setting }) =>
      conditionsWith(
        setting,
        ({ request }) => isMap(request) && isMap(request['header']) && 'content_type' in request['header'],
      ),
  },
  {
    subjects: ['`too_many_requests` in `when`'],
    message: '`too_many_requests` names 429, which Oathkeeper cannot',
    hint: 'Leave it out of files that Oathkeeper reads, too: its schema refuses it.',
    information: true,
    find: ({ setting }) => conditionsWith(setting, ({ error }) => isList(error) && error.includes('too_many_requests')),
  },
  {
    subjects: ['outage under `redirect` or `www_authenticate`'],
    message: 'This does not answer outages (503), because logging in would not help',
    hint: 'If it should, let `when` name `service_unavailable`.',
    find: ({ enabled, setting }) =>
      redirecting.flatMap((name) => withoutOutages(enabled('errors', name), setting('errors', name, 'when'))),
  },
  {
    subjects: ['`X-Forwarded-Uri` with a query, in `return_to`'],
    message: 'The query of the URL that the user came from is kept',
    hint: 'A work-around that decodes %3F can go.',
    information: true,
    find: ({ setting }) => setting('errors', 'redirect', 'return_to_query_param'),
  },
  {
    subjects: ['`retry` of `remote`, `remote_json`, `hydrator`'],
    message: '`give_up_after` limits the whole call with all its attempts, `max_delay` the pauses between them',
    hint: 'Set give_up_after to what a request may wait for the service; without it the limit is 1 s.',
    find: ({ setting }) => [
      ...setting('authorizers', 'remote', 'retry'),
      ...setting('authorizers', 'remote_json', 'retry'),
      ...setting('mutators', 'hydrator', 'api.retry'),
    ],
  },
  {
    subjects: ['`retry` of `oauth2_introspection` and `oauth2_client_credentials`'],
    message:
      'This works: `give_up_after` limits the whole call with all its attempts, `max_delay` the pauses between them',
    hint: 'Check both values, which had no effect so far.',
    find: ({ setting }) => [
      ...setting('authenticators', 'oauth2_introspection', 'retry'),
      ...setting('authenticators', 'oauth2_client_credentials', 'retry'),
    ],
  },
  {
    subjects: ['429 of a remote authorizer', 'a redirect of an authorizer or hydrator'],
    message: "The service's 429 is passed on to the client, and its redirects are followed on the same origin only",
    hint: 'A service that redirects elsewhere has to be named by its final URL.',
    find: ({ enabled }) => [
      ...enabled('authorizers', 'remote'),
      ...enabled('authorizers', 'remote_json'),
      ...enabled('mutators', 'hydrator'),
    ],
  },
  {
    subjects: ['request body for `remote`'],
    message: 'A request body of more than 1 MiB is answered with 413, because it is held in memory',
    hint: 'Set max_body_bytes for larger ones.',
    find: ({ enabled }) => enabled('authorizers', 'remote'),
  },
  {
    subjects: ['a value inside the payload of `remote_json`'],
    message:
      'A value inside a JSON string of this template is escaped for it, and outside of one must be one JSON value',
    hint: 'A template that puts JSON together from parts should let toJson write them.',
    find: ({ setting }) => templated(setting('authorizers', 'remote_json', 'payload')),
  },
  {
    subjects: ['`remoteIpAddress` of `keto_engine_acp_ory`', 'an answer to `keto_engine_acp_ory` without `allowed`'],
    message: 'Policies see the nearest public address of X-Forwarded-For where that is trusted, else that of the peer',
    hint: 'Behind another proxy set serve.proxy.trust_forwarded_headers, and let that proxy add the address of its client.',
    find: ({ enabled }) => enabled('authorizers', 'keto_engine_acp_ory'),
  },
  {
    subjects: ["hydrator's answer without `match_context`", "hydrator's headers in small letters"],
    message: 'An answer without match_context leaves it as it was, and headers count however their names are written',
    hint: 'A service that means to empty it has to answer with an empty one.',
    find: ({ enabled }) => enabled('mutators', 'hydrator'),
  },
  {
    subjects: [
      'key sets of `jwt` that cannot be had',
      'a key set of `jwt` that is out of reach',
      'unknown `kid`',
      'tokens of `jwt`',
      'symmetric keys of `jwt` that are shorter than the hash',
    ],
    message:
      'Without its keys this answers 503, old keys count for an hour at most, and ambiguous tokens or short secrets are refused',
    hint: 'Let alerts look for 503; symmetric keys need as many bytes as their hash (32 for HS256).',
    find: ({ enabled }) => enabled('authenticators', 'jwt'),
  },
  {
    subjects: ['`EdDSA` in `allowed_algorithms`'],
    message: 'EdDSA works, where Oathkeeper refuses it',
    hint: 'Tokens that were refused for it will pass.',
    information: true,
    find: ({ setting }) =>
      setting('authenticators', 'jwt', 'allowed_algorithms').filter(
        ({ value }) => isList(value) && value.includes('EdDSA'),
      ),
  },
  {
    subjects: ['token endpoint answers 502 or another odd 5xx'],
    message: 'A token endpoint in trouble is answered with 503, not with 401',
    hint: 'Let alerts and clients that took 401 for an outage look for 503.',
    find: ({ enabled }) => enabled('authenticators', 'oauth2_client_credentials'),
  },
  {
    subjects: ['introspection cache'],
    message: "Answers are kept for what was asked in full, by each rule's own ttl, and at most 100,000 of them",
    hint: 'Set the ttl in the rules whose tokens must stop counting sooner.',
    find: ({ setting }) => setting('authenticators', 'oauth2_introspection', 'cache'),
  },
  {
    subjects: ['`pre_authorization`'],
    message: "The gateway's own token is asked for once per server and client, not once per rule",
    hint: 'Nothing, unless the server counts how often it is asked.',
    information: true,
    find: ({ setting }) =>
      setting('authenticators', 'oauth2_introspection', 'pre_authorization').filter(
        ({ value }) => isMap(value) && value['enabled'] === true,
      ),
  },
  {
    subjects: ['`preserve_host` on `/decisions`'],
    message: 'On /decisions the session store is told the host that the decision is about, not that of the API',
    hint: 'A session store that expects the host of the API has to be told that one.',
    information: true,
    find: ({ setting }) => [
      ...isTrue(setting('authenticators', 'cookie_session', 'preserve_host')),
      ...isTrue(setting('authenticators', 'bearer_token', 'preserve_host')),
    ],
  },
  {
    subjects: ['`strip_path`'],
    message: 'This cuts whole segments: `/api` leaves `/apiary` as it is',
    hint: 'If the upstream expects what was left of a cut segment, let its URL lead there.',
    find: ({ rules }) =>
      rules.flatMap(({ rule: { upstream }, locate }) =>
        upstream.strip_path === ''
          ? []
          : [{ value: upstream.strip_path, place: locate(['upstream', 'strip_path'], 'key') }],
      ),
  },
  {
    subjects: ['`?` and ranges of globs'],
    message: 'In this pattern `?` and `[…]` match one character, not one byte of it',
    hint: 'Two of them that stood for one letter such as é become one.',
    find: ({ key, rules }) =>
      key('access_rules.matching_strategy').some(({ value }) => value === 'glob') ? rules.flatMap(byteGlobs) : [],
  },
  {
    subjects: ['`Forwarded`, with `trust_forwarded_headers`'],
    message: 'Templates and the hydrator see the header Forwarded, too',
    hint: 'Nothing; upstreams still do not get it.',
    information: true,
    find: ({ key }) => isTrue(key('serve.proxy.trust_forwarded_headers')),
  },
]

/** Rows of the table that no key or construct stands for, so that they hold for every config, or that are errors of their own. */
export const everywhere: readonly string[] = [
  '`Ory-Session-Cache-For` of the session store',
  '`env` and `expandenv` in a template',
  '`getHostByName`, `bcrypt` and functions that make keys, in a template',
  'path',
  'trailing slash',
  'ambiguous requests',
  'invalid UTF-8 in a path',
  'a pattern that does not compile',
  '`GET /version`',
  'secrets in `GET /rules`',
  'exit status of the command line',
  'keys with `nbf` or `exp` in a key set',
  "hosts with a final dot, a forwarded scheme other than HTTP's",
  '`/decisions` with `//` or dot segments in the path',
  '`X-Forwarded-Uri` of `/decisions`',
  'queries',
  'headers that `Connection` names, and other hop-by-hop headers',
  '`Upgrade: h2c`',
  'WebSockets',
  "an upstream's answer without a type",
  'answers with more than 16 KiB of head, folded lines or status 600',
  'CORS',
  'refusals',
  '`reason` and `message` of verbose errors',
  'rate limits of the session store',
  'a control character in a header that a template sets',
  'templates and hydrator after `noop`',
  '`Host` set by a template',
  'a header that is no UTF-8, towards the hydrator',
]

export interface MigrationNote extends Problem {
  /** Whether something has to be done or looked at; the others are for information. */
  readonly asksForAction: boolean
}

/**
 * The notes for a config and its rules, at the places of what they are about: those that ask for action, then the others.
 * Takes the config as it is written; one that says `profile: secure` was written for Mintkeeper, and gets none.
 */
export function migrationNotes(
  config: unknown,
  locate: Locate,
  rules: readonly LoadedRule[],
): readonly MigrationNote[] {
  if (isMap(config) && config['profile'] === 'secure') return []
  const written = readWritten(config, locate, rules)
  const notes = differences.flatMap(({ message, hint, information, find }) =>
    find(written).map(({ place }): MigrationNote => ({
      severity: 'note',
      message,
      hint,
      asksForAction: information !== true,
      ...(place !== undefined && { place }),
    })),
  )
  const sorted = inReadingOrder(notes)
  return [
    ...sorted.filter(({ asksForAction }) => asksForAction),
    ...sorted.filter(({ asksForAction }) => !asksForAction),
  ]
}

const isTrue = (spots: readonly Spot[]): readonly Spot[] => spots.filter(({ value }) => value === true)

const templated = (spots: readonly Spot[]): readonly Spot[] =>
  spots.filter(({ value }) => typeof value === 'string' && value.includes('{{'))

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

const isRemote = (url: unknown): boolean => typeof url === 'string' && /^(https?|s3|gs|azblob):\/\//i.test(url)

const conditions = (when: unknown): readonly Readonly<Record<string, unknown>>[] =>
  isList(when) ? when.filter(isMap) : []

/** The settings of `when` that have such a condition, of whatever error handler. */
const conditionsWith = (
  setting: Written['setting'],
  test: (condition: Readonly<Record<string, unknown>>) => boolean,
): readonly Spot[] =>
  errorHandlers.flatMap((name) =>
    setting('errors', name, 'when').filter(({ value }) => conditions(value).some((condition) => test(condition))),
  )

/** Of the settings of `when` those that leave outages out; without any, the handler itself. */
function withoutOutages(handler: readonly Spot[], whens: readonly Spot[]): readonly Spot[] {
  if (whens.length === 0) return handler
  return whens.filter(({ value }) => !conditions(value).some(({ error }) => isList(error) && error.some(isOutage)))
}

const isOutage = (name: unknown): boolean => name === 'service_unavailable' || name === 'internal_server_error'

function byteGlobs({ rule: { match }, locate }: LoadedRule): readonly Spot[] {
  return /<[^>]*[?[]/.test(match.url) ? [{ value: match.url, place: locate(['match', 'url']) }] : []
}

function repeatedCookieMutators({ rule, locate }: LoadedRule): readonly Spot[] {
  const cookies = rule.mutators.flatMap(({ handler }, index) => (handler === 'cookie' ? [index] : []))
  return cookies.slice(1).map((index) => ({ value: 'cookie', place: locate(['mutators', index]) }))
}
