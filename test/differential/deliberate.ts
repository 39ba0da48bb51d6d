/** What Mintkeeper does otherwise on purpose: each as narrow as it can be told, with the reason users are given. */
import type { Difference } from './compare.ts'
import type { Exchange } from './exchange.ts'
import { parsed } from './json.ts'
import type { Scenario, TestRequest } from './scenario.ts'
import { headerOf, type Arrived } from './services/recording_server.ts'

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

const status = ({ facets }: Exchange): string => facets.get('status') ?? ''
const body = ({ facets }: Exchange): string => facets.get('body') ?? ''
const header = (request: TestRequest, name: string): string => headerOf(request, name)
const called = ({ calls }: Exchange, service: string): readonly Arrived[] =>
  calls.filter((call) => call.service === service)

/** Path of the request that a decision is about, or of the request itself. */
function aboutPath(request: TestRequest): string {
  const target = request.target === '/decisions' ? header(request, 'x-forwarded-uri') : request.target
  return target.split('?')[0] ?? ''
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Mintkeeper answered by itself: nothing came from an upstream. */
const refused = ({ ours }: Context): boolean => called(ours, 'upstream').length === 0

const storeOrigin = (context: Context): boolean => JSON.stringify(context.scenario.rules).includes('127.0.0.1:1/')

/** The session store was out of order: closed, 5xx, or it broke off its answer. */
function storeOutage(context: Context): boolean {
  const asked = called(context.ours, 'store')
  if (asked.some(({ status: answered }) => answered >= 500)) return true
  if (asked.length === 0 && called(context.theirs, 'store').length === 0) return storeOrigin(context)
  return asked.some(
    (call) =>
      /session="?half|bearer\s+half/i.test(JSON.stringify(call.headers)) ||
      headerOf(call, 'x-session-token') === 'half',
  )
}

/** A session document without the headers of the connection and the spelling of the path. */
const withoutNoise = (text = ''): string =>
  text
    .replaceAll(/"(Connection|Te|Upgrade|Keep-Alive|Proxy-[A-Za-z]+|Http2-Settings)":\["[^"]*"\],?/g, '')
    .replace(/"RawPath":"[^"]*"/, '')
    .replace('"ForceQuery":true', '"ForceQuery":false')
    .replaceAll(',}', '}')

const withoutSlash = (target: string): string =>
  decoded(target)
    .replace(/\?$/, '')
    .replace(/\/(\?|$)/, '$1')

/** A relative `to` of a redirect handler, resolved against two spellings of one path. */
const isRelativeLogin = (facet: string, theirs: string, ours: string): boolean =>
  ['header:location', 'body'].includes(facet) && theirs.includes('/login') && ours.includes('/login')

export const deliberate: readonly Deliberate[] = [
  {
    name: 'front-gate-path',
    reason: 'A control character, a backslash, a bad escape or invalid UTF-8 in a path is read in several ways.',
    decides: ({ request, ours }) => status(ours) === '400' && /%0a|%5c|%zz|%c3%28/i.test(aboutPath(request)),
  },
  {
    name: 'front-gate-host',
    reason: 'A host with a final dot names the same host in a second way, past rules that name it in the first.',
    decides: ({ request, ours }) =>
      status(ours) === '400' &&
      (header(request, 'host').endsWith('.') || header(request, 'x-forwarded-host').endsWith('.')),
  },
  {
    name: 'front-gate-scheme',
    reason: 'A forwarded scheme that is none of HTTP matches no rule and would end up in redirects.',
    decides: ({ request, ours }) =>
      status(ours) === '400' && header(request, 'x-forwarded-proto') === 'ftp' && request.plane === 'decisions',
  },
  {
    name: 'decisions-redirect',
    reason:
      'Whoever asks for a decision gets one about the resolved path, not a redirect that proxies take for an answer.',
    decides: ({ request, theirs }) =>
      request.plane === 'decisions' &&
      status(theirs) === '307' &&
      /\/\/|\/\.{1,2}(\/|$)/.test(request.target.split('?')[0] ?? ''),
  },
  {
    name: 'session-store-outage',
    reason: 'An outage that reads as a refusal logs everybody out.',
    decides: (context) =>
      status(context.ours) === '503' &&
      /^$|The session store is not available/.test(body(context.ours)) &&
      storeOutage(context),
  },
  {
    name: 'aal2',
    reason: 'Clients can lead the user to the second factor only when they are told.',
    decides: ({ ours }) =>
      body(ours).includes('session_aal2_required') ||
      called(ours, 'store').some((call) => call.status === 403 && JSON.stringify(call.headers).includes('aal2')),
  },
  {
    name: 'rate-limit-handler',
    reason: 'A 429 is not an internal error: a handler that says so itself goes before those that answer anything.',
    decides: ({ theirs, ours }) =>
      called(ours, 'store').some((call) => call.status === 429) && status(theirs) === '500',
  },
  {
    name: 'unreadable-content-type',
    reason: 'A Content-Type that cannot be read fits no handler; it does not turn every refusal into a 500.',
    decides: ({ theirs }) => /mime: (no media type|expected|invalid)/.test(body(theirs)),
  },
  {
    name: 'glob-characters',
    reason: '`?` and `[…]` match one character; the library of Oathkeeper counts the bytes of some.',
    decides: ({ scenario, request }) =>
      (scenario.config['access_rules'] as { matching_strategy?: string }).matching_strategy === 'glob' &&
      /%c3%a9/i.test(aboutPath(request)),
  },
  {
    name: 'decisions-uri-decoded',
    reason: 'Undecoded, `%2e%2e` in X-Forwarded-Uri would be matched as one path and served as another.',
    decides: ({ request }) => request.target === '/decisions' && aboutPath(request).includes('%'),
  },
  {
    name: 'strip-path-without-slash',
    reason: '`/api` is no part of `/apiary`: what is left of a cut segment is not even a request target.',
    decides: ({ theirs }) => called(theirs, 'upstream').some(({ method }) => method === 'unreadable'),
  },
  {
    name: 'values-escaped-in-json',
    reason: 'A quote or a line break in a value must neither add to a JSON text nor break it.',
    decides: ({ scenario, request, theirs, ours }) =>
      (status(theirs) !== status(ours) || called(theirs, 'service').length !== called(ours, 'service').length) &&
      /control-subject|alice/.test(JSON.stringify(request.headers)) &&
      scenario.rules.some((rule) =>
        /\\"\{\{ (print )?\.(Subject|Extra\.quote)/.test(JSON.stringify([rule.authorizer, rule.mutators])),
      ),
  },
  {
    name: 'trusted-forwarded',
    reason: 'Whoever trusts the proxy in front gets to see what it says, in the standard form, too.',
    covers: ({ facet, theirs, ours }, { request }) =>
      header(request, 'forwarded') !== '' &&
      ((/^service\d*\.header:forwarded$/.test(facet) && theirs === undefined) ||
        (/^service\d*\.body$/.test(facet) && ours?.includes('"Forwarded":') === true)),
  },
  {
    name: 'pre-authorization-shared',
    reason: "The gateway's own token is asked for once per server and client, not once per rule.",
    covers: ({ facet }, { theirs, ours }) =>
      facet.startsWith('service') &&
      called(theirs, 'service').some(({ target }) => target === '/token') &&
      !called(ours, 'service').some(({ target }) => target === '/token') &&
      called(ours, 'service').some(({ target }) => target === '/introspect'),
  },
  {
    name: 'latin-1-headers',
    reason: 'A header that is no UTF-8 is read as Latin-1 instead of losing its letters.',
    covers: ({ facet, ours }, { request }) =>
      /^service\d*\.body$/.test(facet) &&
      header(request, 'x-bytes') !== '' &&
      ours?.includes('"X-Bytes":["café"]') === true,
  },
  {
    name: 'empty-header',
    formal: true,
    reason: 'A header without a value says what a missing one says.',
    covers: ({ facet, theirs, ours }) =>
      /^(upstream|service)\d*\.header:(user-agent|cookie)$/.test(facet) && (theirs ?? '') === (ours ?? ''),
  },
  {
    name: 'hydrator-headers',
    reason: 'What belongs to the connection of the client ends at the gateway, and one spelling of the path is shown.',
    covers: ({ facet, theirs, ours }) =>
      /^service\d*\.body$/.test(facet) && withoutNoise(theirs) === withoutNoise(ours),
  },
  {
    name: 'refusals-not-stored',
    formal: true,
    reason: 'An answer that depends on who asks must not be served to somebody else from a cache.',
    covers: ({ facet, theirs, ours }, context) =>
      facet === 'header:cache-control' && theirs === undefined && ours === 'no-store' && refused(context),
  },
  {
    name: 'empty-error-id',
    formal: true,
    reason: 'A header that is always empty says nothing.',
    covers: ({ facet, theirs, ours }) => facet === 'header:ory-error-id' && theirs === '' && ours === undefined,
  },
  {
    name: 'client-library',
    formal: true,
    reason: "Go's HTTP client names itself, asks for gzip unasked and says from where it was redirected.",
    covers: ({ facet, theirs, ours }) =>
      (/^(store|service|upstream)\d*\.header:accept-encoding$/.test(facet) &&
        theirs?.startsWith('gzip') === true &&
        ours === undefined) ||
      (/^(store|service)\d*\.header:user-agent$/.test(facet) && theirs === 'Go-http-client/1.1') ||
      (/^store\d+\.header:referer$/.test(facet) && ours === undefined) ||
      (/^service\d*\.header:accept$/.test(facet) && theirs === undefined && ours === 'application/json') ||
      (/^service\d*\.header:content-type$/.test(facet) && theirs === '' && ours === undefined),
  },
  {
    name: 'list-in-one-line',
    formal: true,
    reason: 'Several lines of one name and one line with a list mean the same (RFC 9110 section 5.3).',
    covers: ({ facet, theirs, ours }) =>
      /^(store|service)\d*\.header:/.test(facet) && theirs?.replaceAll(' | ', ', ') === ours,
  },
  {
    name: 'no-content-sniffing',
    reason: 'An upstream that states no type gets none: guessing one is how text becomes a script.',
    covers: ({ facet, theirs, ours }, { ours: { calls } }) =>
      facet === 'header:content-type' &&
      theirs === 'text/plain; charset=utf-8' &&
      ours === undefined &&
      calls.some(({ service }) => service === 'upstream'),
  },
  {
    name: 'own-words',
    reason: 'Reasons describe the fault without the texts of Go, stack traces and the addresses of internal services.',
    covers: ({ facet, theirs, ours }) => facet === 'body' && sameErrorInOtherWords(parsed(theirs), parsed(ours)),
  },
  {
    name: 'server-refusal',
    reason: 'Every refusal has the same form, also the ones that come before any rule.',
    covers: ({ facet, theirs, ours }, context) =>
      status(context.theirs) === '400' &&
      status(context.ours) === '400' &&
      ['body', 'header:content-type'].includes(facet) &&
      (theirs ?? '').length >= 0 &&
      (ours ?? '').length > 0,
  },
  {
    name: 'path-encoding',
    reason: 'One form of the path is matched, forwarded and shown; Oathkeeper forwards the spelling of the client.',
    covers: ({ facet, theirs = '', ours = '' }, { request }) =>
      /%(2f|7e|72|25|3f)|[!$&'()*,;=:@~]/i.test(aboutPath(request)) &&
      ((/^(upstream\.target|store\.target|header:location|body)$/.test(facet) &&
        decoded(decoded(theirs)) === decoded(decoded(ours))) ||
        isRelativeLogin(facet, theirs, ours)),
  },
  {
    name: 'trailing-slash',
    reason: 'Upstreams tell `/x/` from `/x`.',
    covers: ({ facet, theirs = '', ours = '' }, { request }) =>
      (aboutPath(request).endsWith('/') && isRelativeLogin(facet, theirs, ours)) ||
      (facet === 'upstream.target' && withoutSlash(ours) === withoutSlash(theirs)),
  },
  {
    name: 'empty-query',
    reason: 'A question mark with nothing behind it is no query.',
    covers: ({ facet, theirs = '', ours }, { request }) =>
      request.target.includes('?') &&
      /target|location|body|header:/.test(facet) &&
      ours === theirs.replace(/(\?|%3F)(?=$|["#&;])/, '').replace('"ForceQuery":true', '"ForceQuery":false'),
  },
  {
    name: 'decisions-unparsable-query',
    reason: 'Pairs of a query that cannot be decoded are left out on both planes, not on one.',
    covers: ({ facet, theirs = '', ours }, { request }) =>
      request.plane === 'decisions' &&
      /store\.target|location|body|header:/.test(facet) &&
      ours === theirs.replaceAll(/(\?|%3F)?q(=|%3D)(%zz|%25zz|a;b=c|a%3Bb%3Dc)/g, ''),
  },
  {
    name: 'query-encoding',
    reason: 'What a URL may not hold goes to the session store percent-encoded.',
    covers: ({ facet, theirs = '', ours = '' }) =>
      facet === 'store.target' && theirs.replace('<', '%3C').replace('>', '%3E') === ours,
  },
  {
    name: 'strip-path-segments',
    reason: '`/api` is no part of `/apiary`: cutting into a segment makes a path that no rule was written for.',
    covers: ({ facet }, { scenario }) =>
      facet === 'upstream.target' && scenario.rules.some(({ upstream }) => upstream.strip_path === '/r'),
  },
  {
    name: 'noop-multi',
    reason: 'Nothing asked for the other values to be lost.',
    covers: ({ facet, theirs, ours = '' }) =>
      /^(upstream\.)?header:/.test(facet) &&
      theirs !== undefined &&
      (ours.startsWith(`${theirs} | `) || ours.startsWith(`${theirs}; `)),
  },
  {
    name: 'set-cookie-of-the-store',
    reason: 'Kratos re-issues the cookie of an extended session there.',
    covers: ({ facet, ours = '' }, { ours: { calls } }) =>
      facet === 'header:set-cookie' &&
      ours.includes('session=fresh') &&
      calls.some(({ service }) => service === 'store'),
  },
  {
    name: 'no-h2c-upgrade',
    reason: 'An upgrade to HTTP/2 towards the upstream would carry requests past the rules.',
    covers: ({ facet, theirs, ours }) =>
      /^(upstream|service)\d*\.header:upgrade$/.test(facet) && theirs === 'h2c' && ours === undefined,
  },
  {
    name: 'te-dropped',
    reason: 'TE belongs to one connection (RFC 9110 section 10.1.4).',
    covers: ({ facet, ours }) => facet.endsWith('header:te') && ours === undefined,
  },
  {
    name: 'decisions-query',
    reason: 'The query in X-Forwarded-Uri belongs to the request that a decision is about.',
    covers: ({ facet }, { request }) =>
      request.target === '/decisions' &&
      header(request, 'x-forwarded-uri').includes('?') &&
      /location|^(store|service)|body|header:/.test(facet),
  },
  {
    name: 'decisions-host',
    reason: 'The session store is told the host that the decision is about, not that of the API.',
    covers: ({ facet, theirs, ours }, { request }) =>
      facet === 'store.header:x-forwarded-host' &&
      theirs === '127.0.0.1' &&
      ours === header(request, 'x-forwarded-host'),
  },
  {
    name: 'rate-limit-headers',
    reason: 'How long to wait is told whichever handler answers.',
    covers: ({ facet, theirs }, { ours }) =>
      /^header:(retry-after|x-ratelimit-)/.test(facet) &&
      theirs === undefined &&
      ours.calls.some((call) => call.status === 429),
  },
  {
    name: 'cors-any-origin',
    reason: 'Without credentials `*` says the same, and caches need not keep one copy per origin.',
    covers: ({ facet, theirs, ours }, { request }) =>
      facet === 'header:access-control-allow-origin' && ours === '*' && theirs === header(request, 'origin'),
  },
  {
    name: 'cors-requested-headers',
    reason: 'Header names have no case and no order; only browsers write them sorted and in small letters.',
    covers: ({ facet, theirs }, { request }) =>
      request.method === 'OPTIONS' &&
      facet.startsWith('header:access-control-') &&
      theirs === undefined &&
      header(request, 'access-control-request-headers') === 'X-Custom, Authorization',
  },
  {
    name: 'own-cors',
    reason: 'Where the gateway answers for CORS it does so alone: two answers are none for a browser.',
    covers: ({ facet, theirs }, { request }) =>
      facet === 'header:access-control-allow-origin' &&
      header(request, 'x-stub-answer') === 'error-id' &&
      theirs?.includes('https://upstream.test') === true,
  },
  {
    name: 'connection-options',
    reason: 'What Connection names ends at the gateway, on both planes.',
    covers: ({ facet, ours }, { request }) =>
      request.plane === 'decisions' &&
      ours === undefined &&
      header(request, 'connection').toLowerCase().split(', ').includes(facet.replace('header:', '')),
  },
  {
    name: 'framing-headers',
    reason: 'A template cannot set what frames or routes a message.',
    covers: ({ facet, ours }) => facet === 'header:host' && ours === undefined,
  },
  {
    name: 'own-header-map',
    reason: "Templates see the client's headers, not what other templates have set meanwhile, in random order.",
    covers: ({ facet }, { scenario }) =>
      facet.includes('header:') &&
      scenario.rules.some((rule) => JSON.stringify(rule.mutators).includes('.MatchContext.Header')),
  },
  {
    name: 'cors-spelling',
    formal: true,
    reason: 'Header names have no case.',
    covers: ({ facet, theirs, ours }) =>
      facet.startsWith('header:access-control-') && theirs?.toLowerCase() === ours?.toLowerCase(),
  },
]

const generic = new Set([
  'The request was malformed or contained invalid parameters',
  'The request could not be authorized',
  'The requested action was forbidden',
  'The requested resource could not be found',
  'Too many requests',
])

interface ErrorBody {
  readonly error?: {
    readonly code?: number
    readonly status?: string
    readonly message?: string
    readonly reason?: string
  }
}

/** Verbose bodies of the same status; the generic ones must be equal to the letter. */
function sameErrorInOtherWords(theirs: unknown, ours: unknown): boolean {
  const [a, b] = [(theirs as ErrorBody | undefined)?.error, (ours as ErrorBody | undefined)?.error]
  if (a === undefined || b === undefined || a.code !== b.code || a.status !== b.status) return false
  if (a.message === b.message) return a.reason !== undefined
  return a.code === 500 && !generic.has(a.message ?? '')
}
