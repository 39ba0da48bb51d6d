import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStandIn, type StandIn } from '../../demo/stand-in/server.ts'

interface Flow {
  readonly id: string
  readonly ui: {
    readonly action: string
    readonly nodes: { readonly attributes: { readonly name: string; readonly value?: string } }[]
    readonly messages?: { readonly id: number }[]
  }
}

let standIn: StandIn
beforeEach(async () => {
  standIn = await createStandIn()
})
afterEach(() => standIn.close())

const json = { Accept: 'application/json', 'Content-Type': 'application/json' }
const html = { Accept: 'text/html' }

const get = (path: string, headers: Record<string, string>): Promise<Response> =>
  fetch(`${standIn.publicUrl}${path}`, { headers, redirect: 'manual' })

const post = (url: string, body: string | URLSearchParams, headers: Record<string, string>): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers, redirect: 'manual' })

const flowOf = async (response: Response): Promise<Flow> => (await response.json()) as Flow
const csrfOf = (flow: Flow): string =>
  flow.ui.nodes.find(({ attributes }) => attributes.name === 'csrf_token')?.attributes.value ?? ''
const pair = (setCookie: string | undefined): string => setCookie?.split(';')[0] ?? ''

const password = (fields: Record<string, string> = {}): string =>
  JSON.stringify({ method: 'password', identifier: 'alice@example.com', password: standIn.alice.password, ...fields })

describe('login of API clients', () => {
  it('hands out a session token', async () => {
    const flow = await flowOf(await get('/self-service/login/api', json))
    expect(flow).toMatchObject({ type: 'api', requested_aal: 'aal1', state: 'choose_method', organization_id: null })
    expect(csrfOf(flow)).toBe('')
    const response = await post(flow.ui.action, password(), json)
    const body = (await response.json()) as { session_token: string }
    expect(body).toMatchObject({ session: { active: true, identity: { id: standIn.alice.id } }, continue_with: null })
    expect(body.session_token).toMatch(/^ory_st_[A-Za-z0-9]{32}$/)
    const headers = { 'X-Session-Token': body.session_token }
    expect((await get('/sessions/whoami', headers)).status).toBe(200)
    const again = await get('/self-service/login/api', headers)
    expect(await again.json()).toMatchObject({ error: { id: 'session_already_available', code: 400 } })
  })

  it('answers a wrong password with the flow', async () => {
    const flow = await flowOf(await get('/self-service/login/api', json))
    const response = await post(flow.ui.action, password({ password: 'wrong' }), json)
    expect(response.status).toBe(400)
    expect((await flowOf(response)).ui.messages).toMatchObject([{ id: 4000006, type: 'error' }])
  })

  it('refuses browsers', async () => {
    expect((await get('/self-service/login/api', { ...json, Cookie: 'a=b' })).status).toBe(400)
    expect((await get('/self-service/login/api', { ...json, Origin: 'https://example.com' })).status).toBe(400)
    expect((await get('/self-service/login/api', { ...json, Cookie: '__cf_bm=1' })).status).toBe(200)
  })

  it('says when a flow has expired, and which one to use', async () => {
    const flow = await flowOf(await get('/self-service/login/api', json))
    const later = Date.now() + standIn.settings.loginLifespan * 1000 + 1
    standIn.settings.now = () => later
    const response = await post(flow.ui.action, password(), json)
    expect(response.status).toBe(410)
    const fresh: unknown = expect.stringMatching(/^[0-9a-f-]{36}$/)
    expect(await response.json()).toMatchObject({ error: { id: 'self_service_flow_expired' }, use_flow_id: fresh })
  })
})

describe('login of browsers', () => {
  it('leads through the page and back', async () => {
    const target = `${standIn.publicUrl}/somewhere?x=1`
    const start = await get(`/self-service/login/browser?return_to=${encodeURIComponent(target)}`, html)
    expect(start.status).toBe(303)
    const csrf = pair(start.headers.getSetCookie()[0])
    const location = new URL(start.headers.get('location') ?? '')
    const page = await (await get(`${location.pathname}${location.search}`, { ...html, Cookie: csrf })).text()
    const [, action = ''] = /action="([^"]+)"/.exec(page) ?? []
    const [, token = ''] = /name="csrf_token" value="([^"]+)"/.exec(page) ?? []
    const form = { identifier: 'alice@example.com', method: 'password', csrf_token: token }

    const wrong = await post(action, new URLSearchParams({ ...form, password: 'no' }), { ...html, Cookie: csrf })
    expect(wrong.status).toBe(303)
    expect(wrong.headers.get('location')).toBe(location.href)
    const second = await (await get(`${location.pathname}${location.search}`, { ...html, Cookie: csrf })).text()
    expect(second).toContain('The provided credentials are invalid')

    const body = new URLSearchParams({ ...form, password: standIn.alice.password })
    const done = await post(action, body, { ...html, Cookie: csrf })
    expect([done.status, done.headers.get('location')]).toEqual([303, target])
    const session = pair(done.headers.getSetCookie()[0])
    expect((await get('/sessions/whoami', { Cookie: session })).status).toBe(200)
    const again = await get('/self-service/login/browser', { ...html, Cookie: session })
    expect([again.status, again.headers.get('location')]).toEqual([303, standIn.settings.defaultReturnUrl])
  })

  it('tells a single-page app where to go, with a cookie and without a token', async () => {
    const start = await get('/self-service/login/browser', json)
    const csrf = start.headers.getSetCookie()[0]
    expect(csrf).toMatch(/^csrf_token_[0-9a-f]{64}=[^;]+; Path=\/; Max-Age=31536000; HttpOnly; SameSite=Lax$/)
    const flow = await flowOf(start)
    const response = await post(flow.ui.action, password({ csrf_token: csrfOf(flow) }), { ...json, Cookie: pair(csrf) })
    const body = (await response.json()) as object
    expect(response.headers.getSetCookie()[0]).toMatch(/^ory_kratos_session=/)
    expect(body).toMatchObject({ continue_with: [{ action: 'redirect_browser_to' }] })
    expect(body).not.toHaveProperty('session_token')
  })

  it('refuses a form without the token', async () => {
    const flow = await flowOf(await get('/self-service/login/browser', json))
    const response = await post(flow.ui.action, password(), json)
    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ error: { id: 'security_csrf_violation' } })
  })

  it('asks an app to lead the browser to the second factor', async () => {
    standIn.alice.available_aal = 'aal2'
    const start = await get('/self-service/login/browser', json)
    const flow = await flowOf(start)
    const cookie = pair(start.headers.getSetCookie()[0])
    const response = await post(flow.ui.action, password({ csrf_token: csrfOf(flow) }), { ...json, Cookie: cookie })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({
      error: { id: 'browser_location_change_required' },
      redirect_browser_to: `${standIn.settings.baseUrl}self-service/login/browser?aal=aal2`,
    })
  })

  it('redirects only to addresses that are allowed', async () => {
    const response = await get('/self-service/login/browser?return_to=https://example.com/', json)
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('Requested return_to URL \\"https://example.com/\\" is not allowed.')
  })

  it.each([
    ['http://127.0.0.1:4433/', '806060ca5bf70dff3caa0e5c860002aade9d470a5a4dce73bcfa7ba10778f481'],
    ['http://127.0.0.1:4455/.ory/kratos/public/', '2d785ea2f6536900108362e9bfff73eef3a32be3921b3abc74b0a990093487c9'],
  ])('names the CSRF cookie after its base URL %s', async (baseUrl, suffix) => {
    standIn.settings.baseUrl = baseUrl
    const response = await get('/self-service/login/browser', json)
    expect(response.headers.getSetCookie()[0]).toMatch(new RegExp(`^csrf_token_${suffix}=`))
  })
})

const patch = (operations: object[]): Promise<Response> =>
  fetch(`${standIn.adminUrl}/admin/identities/${standIn.alice.id}`, {
    method: 'PATCH',
    headers: json,
    body: JSON.stringify(operations),
  })

describe('identities of the admin API', () => {
  it('are disabled and changed by JSON Patch', async () => {
    const { cookie } = standIn.signIn(standIn.alice)
    const changed = await patch([
      { op: 'replace', path: '/metadata_public/role', value: 'editor' },
      { op: 'add', path: '/traits/nickname', value: 'Al' },
    ])
    expect(await changed.json()).toMatchObject({ metadata_public: { role: 'editor' }, traits: { nickname: 'Al' } })
    const whoami = await get('/sessions/whoami', { Cookie: cookie })
    expect(await whoami.json()).toMatchObject({ identity: { metadata_public: { role: 'editor' } } })
    expect((await patch([{ op: 'replace', path: '/state', value: 'inactive' }])).status).toBe(200)
    expect((await get('/sessions/whoami', { Cookie: cookie })).status).toBe(401)
  })

  it.each([{ path: '/id' }, { path: '/traits/__proto__/x' }, { path: '/state', value: 'dead' }, {}])(
    'refuse the patch %j',
    async (operation) => {
      expect((await patch([{ op: 'add', value: 'x', ...operation }])).status).toBe(400)
    },
  )

  it('take their sessions along when they are deleted', async () => {
    const { row } = standIn.signIn(standIn.alice)
    const url = `${standIn.adminUrl}/admin/identities/${standIn.alice.id}`
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(`${standIn.adminUrl}/admin/sessions/${row.id}`)).status).toBe(404)
  })
})
