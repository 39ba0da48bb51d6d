/** The services' behaviour: a session store, an upstream, and one service that plays every other party. */
import { headerOf, type Answer, type Arrived, type ServiceAnswer } from './recording_server.ts'
import { moved, sessionAnswer } from './session_answers.ts'

type Seen = Omit<Arrived, 'status'>

/** The session is named by the cookie `session`, by a bearer token, a header or the query. */
export const sessionStore: Answer = (request) => {
  if (request.target.startsWith('/session-moved')) return moved
  const cookie = /(?:^|;\s*)session="?([^;"]*)/.exec(headerOf(request, 'cookie'))?.[1]
  const bearer = /^bearer\s+(.*)$/i.exec(headerOf(request, 'authorization'))?.[1]
  const query = new URLSearchParams(request.target.split('?')[1] ?? '').get('token')
  return sessionAnswer(cookie ?? bearer ?? (headerOf(request, 'x-session-token') || query || ''))
}

const upstreamAnswers: Readonly<Record<string, ServiceAnswer>> = {
  '201': { status: 201, headers: { location: '/made' }, body: 'made' },
  '204': { status: 204, body: '' },
  '302': { status: 302, headers: { location: 'https://elsewhere.test/' }, body: '' },
  '304': { status: 304, headers: { etag: '"x"' }, body: '' },
  '404': { status: 404, headers: { 'content-type': 'application/json' }, body: '{"error":"mine"}' },
  '500': { status: 500, headers: { 'content-type': 'text/plain' }, body: 'mine' },
  cookies: { status: 200, headers: { 'set-cookie': ['a=1; Path=/', 'session=x; HttpOnly'] }, body: 'cookies' },
  hop: {
    status: 200,
    headers: { connection: 'x-hop', 'x-hop': 'dropped', 'proxy-authenticate': 'Basic', 'keep-alive': 'timeout=9' },
    body: 'hop',
  },
  type: {
    status: 200,
    headers: { 'content-type': 'application/vnd.x+json', vary: 'Accept', 'cache-control': 'max-age=1' },
    body: '{}',
  },
  empty: { status: 200, headers: { 'x-empty': '' }, body: '' },
  'error-id': {
    status: 403,
    headers: { 'ory-error-id': 'theirs', 'access-control-allow-origin': 'https://upstream.test' },
    body: '{}',
  },
}

export const upstream: Answer = (request) => {
  const wanted = headerOf(request, 'x-stub-answer')
  if (Object.hasOwn(upstreamAnswers, wanted)) return upstreamAnswers[wanted]!
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: 'upstream' }
}

const json = (value: unknown, status = 200): ServiceAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

const now = (): number => Math.floor(Date.now() / 1000)

/** What is known of opaque tokens, by token; everybody else's are inactive. */
const introspections: Readonly<Record<string, () => ServiceAnswer>> = {
  alice: () =>
    json({
      active: true,
      sub: 'alice',
      username: 'al',
      client_id: 'app',
      scope: 'read write',
      iss: 'https://issuer.test/',
      aud: ['one', 'two'],
      exp: now() + 600,
      ext: { count: 7, role: 'editor' },
    }),
  bob: () => json({ active: true, sub: 'bob', scope: 'read.x', aud: 'one' }),
  guest: () => json({ active: true }),
  empty: () => json({}),
  'odd-extra': () => json({ active: true, sub: 'odd', ext: null, scope: '', exp: 0 }),
  numeric: () => json({ active: true, sub: 'refresh', token_use: 'refresh_token' }),
  created: () => json({ active: true, sub: 'access', token_use: 'access_token', nbf: now() + 600, scope: 'read' }),
  expired: () => json({ active: true, sub: 'old', exp: now() - 10 }),
  page: () => ({ status: 200, body: '<html>' }),
  limited: () => ({ ...json({}, 429), headers: { 'retry-after': '3', 'x-ratelimit-limit': '9' } }),
  forbidden: () => json({ error: 'no' }, 403),
  missing: () => json({ error: 'no' }, 404),
}

function introspect(request: Seen): ServiceAnswer {
  const token = new URLSearchParams(request.body).get('token') ?? ''
  return Object.hasOwn(introspections, token) ? introspections[token]!() : json({ active: false })
}

function issueToken(request: Seen): ServiceAnswer {
  const credentials = Buffer.from(headerOf(request, 'authorization').replace(/^basic\s+/i, ''), 'base64').toString()
  if (['client:secret', 'gateway:gateway-secret', 'a+b:c%3Ad'].includes(credentials)) {
    return json({ access_token: 'issued', token_type: 'bearer', expires_in: 3600 })
  }
  return json({ error: 'invalid_client' }, 401)
}

function authorize(request: Seen): ServiceAnswer {
  const status = Number(/\d+/.exec(request.target)?.[0])
  return {
    status,
    headers: { 'x-remote-user': 'remote', 'x-remote-many': ['one', 'two'], 'x-custom': 'from remote' },
    body: '',
  }
}

function hydrate(request: Seen): ServiceAnswer {
  const kind = /^\/hydrate\/([a-z-]+)/.exec(request.target)?.[1] ?? ''
  const session = JSON.parse(Buffer.from(request.body, 'latin1').toString()) as Record<string, unknown>
  switch (kind) {
    case 'add':
      return json({
        ...session,
        extra: { ...(session['extra'] as object), hydrated: true, count: 43 },
        header: { ...(session['header'] as object), 'X-Hydrated': ['yes'] },
      })
    case 'echo':
      return json(session)
    case 'replace':
      return json({ subject: session['subject'], extra: { name: 'Replaced' } })
    case 'groups':
      return json({
        ...session,
        match_context: { ...(session['match_context'] as object), regexp_capture_groups: ['new', 'groups'] },
      })
    case 'more-headers':
      return json({
        ...session,
        header: { 'X-Hydrated': ['yes', 'twice'], 'x-lower': ['low'], 'X-Custom': ['theirs'] },
      })
    case 'no-header':
      return json({ ...session, header: null })
    case 'null-extra':
      return json({ ...session, extra: null })
    case 'missing':
      return json({}, 404)
    case 'list':
      return json([session])
    case 'empty':
      return { status: 200, body: '' }
    case 'other-subject':
      return json({ ...session, subject: 'somebody else' })
    case 'unauthorized':
      return json({}, 401)
    case 'forbidden':
      return json({}, 403)
    default:
      return { status: 200, body: 'garbage' }
  }
}

/** What the policies of Keto say, by the resource that is asked about. */
function allow(request: Seen): ServiceAnswer {
  const { resource, subject } = JSON.parse(Buffer.from(request.body, 'latin1').toString()) as Record<string, unknown>
  if (resource === 'deny' || subject === 'bob') return json({ allowed: false })
  if (resource === 'forbidden') return json({ allowed: false }, 403)
  if (resource === 'silent') return json({ ok: true })
  return resource === 'missing' ? json({ error: 'no such flavor' }, 404) : json({ allowed: true })
}

/** Token introspection and issue, remote authorizers, hydrator, each under its own path. */
export const service: Answer = (request) => {
  if (request.target.startsWith('/introspect')) return introspect(request)
  if (request.target.startsWith('/token')) return issueToken(request)
  if (request.target.startsWith('/authorize/')) return authorize(request)
  if (request.target.startsWith('/keto/')) return allow(request)
  return hydrate(request)
}
