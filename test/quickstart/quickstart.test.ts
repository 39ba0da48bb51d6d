import { readFileSync } from 'node:fs'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { named } from '../demo/vectors.ts'
import { host, kid, publicUrl, startQuickstart, type Answer, type Quickstart } from './stack.ts'

interface Vector {
  readonly id: string
  readonly group: string
  readonly given: { readonly method: string; readonly url: string; readonly cookie?: string }
  readonly expect: { readonly rule?: string; readonly status?: number; readonly reason_contains?: string }
}

const vectors = (
  JSON.parse(readFileSync(new URL('../vectors/kratos-extra.json', import.meta.url), 'utf8')) as Vector[]
).filter(({ group }) => group === 'oathkeeper_quickstart')

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'
const unauthorized = { error: { code: 401, status: 'Unauthorized', message: 'Access credentials are invalid' } }
const notFound = {
  error: { code: 404, status: 'Not Found', message: 'Requested url does not match any rules' },
}

let quickstart: Quickstart
let cookie: string
let sessionId: string

beforeAll(async () => {
  quickstart = await startQuickstart()
  const signedIn = quickstart.kratos.signIn(quickstart.kratos.alice)
  cookie = signedIn.cookie
  sessionId = signedIn.row.id
})

afterAll(() => quickstart[Symbol.asyncDispose]())

/** One request, the requests that it caused at the UI, and how often it made the gateway ask Kratos for the session. */
async function visit(...args: Parameters<Quickstart['get']>) {
  const before = quickstart.ui.length
  const asked = whoamiCalls()
  const answer = await quickstart.get(...args)
  return { ...answer, ui: quickstart.ui.slice(before), asked: whoamiCalls() - asked }
}

const whoamiCalls = (): number => [...quickstart.kratos.calls.values()].reduce((sum, count) => sum + count, 0)

const body = ({ text }: Answer): unknown => JSON.parse(text)

async function publishedKeys(): Promise<JSONWebKeySet> {
  return body(await quickstart.get('/.well-known/jwks.json', { port: quickstart.api })) as JSONWebKeySet
}

async function tokenOf(authorization: string | undefined) {
  const token = authorization?.replace(/^Bearer /, '') ?? ''
  const keys = createLocalJWKSet(await publishedKeys())
  return { token, header: decodeProtectedHeader(token), ...(await jwtVerify(token, keys)) }
}

describe('vectors', () => {
  it.each(named(vectors.filter(({ given }) => given.cookie === undefined)))(
    '%s',
    async (_id, { given, expect: wanted }) => {
      const before = quickstart.decisions().length
      const answer = await quickstart.get(given.url.slice(publicUrl.length), { method: given.method })
      // The line is written once the answer is out.
      await expect
        .poll(() =>
          quickstart
            .decisions()
            .slice(before)
            .map(({ rule_id: id }) => id),
        )
        .toEqual([wanted.rule])
      expect(answer.status).toBe(wanted.status ?? answer.status)
      expect(answer.text).toContain(wanted.reason_contains ?? '')
    },
  )
})

describe('Kratos behind its prefix', () => {
  it('sees the path without the prefix, its query, and the public host', async () => {
    const answer = await visit('/.ory/kratos/public/self-service/login/browser?refresh=true', {
      headers: { Accept: 'text/html' },
    })
    expect(answer.status).toBe(303)
    expect(answer.headers.location).toMatch(`${publicUrl}/login?flow=`)
    expect(String(answer.headers['set-cookie'])).toContain('csrf_token_2d785ea2f6536900108362e9bfff73ee')
    expect(answer.ui).toEqual([])
  })

  it('gets methods, bodies and cookies as they are', async () => {
    const start = await quickstart.get('/.ory/kratos/public/self-service/login/api')
    const { ui } = body(start) as { ui: { action: string } }
    expect(ui.action).toMatch(`${publicUrl}/.ory/kratos/public/self-service/login?flow=`)
    const { email } = quickstart.kratos.bob.traits as { email: string }
    const login = await quickstart.get(ui.action.slice(publicUrl.length), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ method: 'password', identifier: email, password: quickstart.kratos.bob.password }),
    })
    expect(body(login)).toMatchObject({ session: { active: true }, session_token: expect.stringMatching(/^ory_st_/) })
    const others = await quickstart.get('/.ory/kratos/public/sessions', {
      method: 'DELETE',
      headers: { Cookie: cookie },
    })
    expect(body(others)).toEqual({ count: 0 })
  })

  it('does not open other paths', async () => {
    const answer = await visit('/.ory/kratos/public/../../../settings')
    expect(answer).toMatchObject({ status: 401, ui: [] })
  })
})

describe('anonymous pages', () => {
  it.each([
    '/registration',
    '/welcome',
    '/recovery',
    '/verification',
    '/login?flow=1',
    '/error',
    '/health/alive',
    '/health/ready',
    '/theme.css',
    '/assets/js/app.min.js',
    '/logo.png',
    '/a/b.svg',
    '/fonts/a.woff2',
  ])('%s is open to everybody', async (target) => {
    const { status, ui } = await visit(target)
    expect(status).toBe(200)
    expect(ui).toMatchObject([{ method: 'GET', url: target, headers: { host } }])
    expect(ui[0]?.headers).not.toHaveProperty('authorization')
  })

  it('see the session cookie, for which Kratos is not asked', async () => {
    const { ui, asked } = await visit('/login', { headers: { Cookie: 'ory_kratos_session=of-somebody' } })
    expect(ui).toMatchObject([{ headers: { cookie: 'ory_kratos_session=of-somebody' } }])
    expect(asked).toBe(0)
  })

  it('refuse whoever brings credentials that nobody is responsible for', async () => {
    const answer = await visit('/login', { headers: { Authorization: 'Bearer x' } })
    expect(answer).toMatchObject({ status: 401, ui: [] })
    expect(body(answer)).toEqual(unauthorized)
  })

  it.each([
    ['POST', '/login', 'application/json'],
    ['GET', '/unknown', 'application/json'],
    ['GET', '/health/other', 'application/json'],
    ['GET', '/settings/x', 'text/html'],
  ])('%s %s has no rule', async (method, target, accept) => {
    const answer = await visit(target, { method, headers: { Accept: accept, Cookie: cookie } })
    expect(answer).toMatchObject({ status: 404, ui: [] })
    expect(body(answer)).toEqual(notFound)
  })
})

describe('protected pages', () => {
  it.each(['/sessions', '/settings?flow=1'])(
    '%s sends browsers to log in, and others a verbose 401',
    async (target) => {
      const page = await visit(target, { headers: { Accept: browser } })
      expect(page).toMatchObject({ status: 302, headers: { location: `${publicUrl}/login` }, ui: [] })
      const answer = await visit(target, { headers: { Accept: 'application/json' } })
      expect(answer).toMatchObject({ status: 401, headers: { 'content-type': 'application/json' }, ui: [] })
      expect(body(answer)).toEqual(unauthorized)
    },
  )

  it('quickstart/id-token: open to a session, with a token that says the whole of it', async () => {
    const { status, ui, asked } = await visit('/settings?flow=1', { headers: { Cookie: cookie } })
    expect({ status, asked }).toEqual({ status: 200, asked: 1 })
    expect(ui).toMatchObject([{ url: '/settings?flow=1', headers: { host, cookie } }])
    const { header, payload } = await tokenOf(ui[0]?.headers.authorization)
    expect(header).toEqual({ alg: 'RS256', kid, typ: 'JWT' })
    const { kratos } = quickstart
    const whoami = await fetch(`${kratos.publicUrl}/sessions/whoami`, { headers: { Cookie: cookie } })
    expect(payload).toEqual({
      iss: `${publicUrl}/`,
      sub: kratos.alice.id,
      session: await whoami.json(),
      iat: expect.any(Number),
      nbf: payload.iat,
      exp: (payload.iat ?? 0) + 900,
      jti: expect.any(String),
    })
    expect(payload).toMatchObject({ session: { id: sessionId, active: true } })
  })

  it('get the same token twice', async () => {
    const first = await visit('/sessions', { headers: { Cookie: cookie } })
    const second = await visit('/sessions', { headers: { Cookie: cookie } })
    expect(second.ui[0]?.headers.authorization).toBe(first.ui[0]?.headers.authorization ?? 'none')
  })

  it('take a session token for no cookie', async () => {
    const { token } = quickstart.kratos.signIn(quickstart.kratos.bob)
    expect(await visit('/settings', { headers: { 'X-Session-Token': token } })).toMatchObject({ status: 401, asked: 0 })
  })

  it('are closed to a session that has ended', async () => {
    const { row, cookie: old } = quickstart.kratos.signIn(quickstart.kratos.bob)
    row.active = false
    const page = await visit('/settings', { headers: { Cookie: old, Accept: 'text/html' } })
    expect(page).toMatchObject({ status: 302, asked: 1, headers: { location: `${publicUrl}/login` }, ui: [] })
  })

  it('keep what a user says of themselves inside the session', async () => {
    const { kratos } = quickstart
    kratos.bob.traits['nick'] = 'x","role":"admin'
    const { ui } = await visit('/settings', { headers: { Cookie: kratos.signIn(kratos.bob).cookie } })
    const { payload } = await tokenOf(ui[0]?.headers.authorization)
    expect(payload).toMatchObject({ session: { identity: { traits: { nick: 'x","role":"admin' } } } })
    expect(payload).not.toHaveProperty('role')
  })

  it('tell a missing second factor as it is, unlike Oathkeeper', async () => {
    const { kratos } = quickstart
    kratos.bob.available_aal = 'aal2'
    const answer = await visit('/settings', { headers: { Cookie: kratos.signIn(kratos.bob).cookie } })
    kratos.bob.available_aal = 'aal1'
    expect(answer).toMatchObject({ status: 403, ui: [] })
    expect(body(answer)).toMatchObject({ error: { id: 'session_aal2_required' } })
  })
})

it('publishes the public half of its key', async () => {
  const { keys } = await publishedKeys()
  expect(keys).toMatchObject([{ kid, kty: 'RSA', alg: 'RS256', use: 'sig' }])
  expect(keys[0]).not.toHaveProperty('d')
})

it('lets other origins in with credentials', async () => {
  const answer = await quickstart.get('/login', { headers: { Origin: 'https://app.example' } })
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': 'https://app.example',
    'access-control-allow-credentials': 'true',
  })
})
