/** What services and the session store answer, and how refusals are told. */
import { parsed } from '../json.ts'
import { headerOf } from '../services/recording_server.ts'
import { body, called, header, type Context, type Deliberate, status } from './context.ts'

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

export const inAnswers: readonly Deliberate[] = [
  {
    name: 'session-store-outage',
    reason: 'An outage that reads as a refusal logs everybody out.',
    decides: (context) => {
      const { ours } = context
      // Oathkeeper may take half a session for one, where here the config has nobody to tell the outage.
      const untold = status(ours) === '500' && body(ours).includes('Fallback error handler')
      const told = untold || (status(ours) === '503' && /^$|The session store is not available/.test(body(ours)))
      return (told || ours.facets.get('header:retry-after') === '1') && storeOutage(context)
    },
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
      called(ours, 'store').some((call) => call.status === 429) && status(theirs) !== status(ours),
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
    name: 'set-cookie-of-the-store',
    reason: 'Kratos re-issues the cookie of an extended session there.',
    covers: ({ facet, ours = '' }, { ours: { calls } }) =>
      facet === 'header:set-cookie' &&
      ours.includes('session=fresh') &&
      calls.some(({ service }) => service === 'store'),
  },
  {
    name: 'values-escaped-in-json',
    reason: 'A quote or a line break in a value must neither add to a JSON text nor break it.',
    decides: ({ scenario, request, theirs, ours }) =>
      (status(theirs) !== status(ours) || called(theirs, 'service').length !== called(ours, 'service').length) &&
      /alice|-subject|new-cookie|created|moved/.test(JSON.stringify(request.headers)) &&
      // A template within JSON: the quote before its action is escaped.
      /\\"\{\{ (print )?\.(Subject|Extra\.quote)/.test(JSON.stringify([scenario.config, scenario.rules])),
  },
  {
    name: 'control-characters',
    reason: 'A line break in a value fails the request; it is neither turned into a space nor left to the upstream.',
    decides: ({ request, ours }) =>
      status(ours) === '500' && JSON.stringify(request.headers).includes('control-subject'),
  },
  {
    name: 'pre-authorization-shared',
    reason: "The gateway's own token is asked for once per server and client, not once per rule.",
    covers: ({ facet }, { theirs, ours }) =>
      facet.startsWith('service') &&
      // Either way round: a request that one of them refused before has not fetched it there.
      called(theirs, 'service').some(({ target }) => target === '/token') !==
        called(ours, 'service').some(({ target }) => target === '/token') &&
      called(ours, 'service').some(({ target }) => target === '/introspect'),
  },
  {
    name: 'no-policy-decision',
    reason: 'What answers 200 without a decision is not Keto: a fault, and no refusal.',
    decides: ({ theirs, ours }) =>
      status(theirs) !== status(ours) &&
      called(ours, 'service').some(
        ({ target, body: asked }) => target.startsWith('/keto/') && asked.includes('"resource":"silent"'),
      ),
  },
  {
    name: 'policy-address',
    reason: 'The first entry of X-Forwarded-For, and X-Real-IP, are what clients say of themselves.',
    covers: ({ facet, theirs = '', ours = '' }) =>
      /^service\d*\.body$/.test(facet) && withoutAddress(theirs) === withoutAddress(ours),
  },
  {
    name: 'unreadable-content-type',
    reason: 'A Content-Type that cannot be read fits no handler; it does not turn every refusal into a 500.',
    decides: ({ request, theirs }) =>
      /mime: (no media type|expected|invalid)/.test(body(theirs)) ||
      (request.method === 'HEAD' && status(theirs) === '500' && header(request, 'content-type').endsWith(';broken')),
  },
  {
    name: 'own-words',
    reason: 'Reasons describe the fault without the texts of Go, stack traces and the addresses of internal services.',
    covers: ({ facet, theirs, ours }) => facet === 'body' && sameErrorInOtherWords(parsed(theirs), parsed(ours)),
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
]

const withoutAddress = (text: string): string => text.replace(/"remoteIpAddress":"[^"]*"/, '')

const generic = new Set([
  'The request was malformed or contained invalid parameters',
  'The request could not be authorized',
  'The requested action was forbidden',
  'The requested resource could not be found',
  'Too many requests',
  'An internal server error occurred, please contact the system administrator',
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
  return !generic.has(a.message ?? '') && !generic.has(b.message ?? '')
}
