/** The life of sessions of a real Kratos, all of it through Mintkeeper. */
import { setTimeout as wait } from 'node:timers/promises'
import { Browser, ask, createPerson, loginWithToken, nodeOf, tell, totp, type Answer, textOf } from './people.ts'
import { claimsOf, type GatewayUnderTest } from './gateway.ts'
import type { Kratos } from './kratos.ts'
import type { JsonObject } from '../../src/pipeline/contract/values.ts'
import type { Report } from './report.ts'

interface Stage {
  readonly gateway: GatewayUnderTest
  readonly kratos: Kratos
  readonly report: Report
}

const errorOf = ({ json }: Answer): unknown => (json['error'] as JsonObject | undefined)?.['id']

export async function checkLogin({ gateway, kratos, report }: Stage): Promise<void> {
  report.heading('Login, whoami, logout')
  const person = await createPerson(kratos.adminUrl)
  const browser = new Browser()
  report.check('without a session the application is closed', (await browser.ask(`${gateway.url}app`)).status, 401)
  const login = await browser.login(`${gateway.url}.ory/`, person)
  report.check('login through /.ory', [login.status, browser.cookies.has('ory_kratos_session')], [200, true])
  const whoami = await browser.ask(`${gateway.url}.ory/sessions/whoami`)
  report.check('whoami through /.ory', [whoami.status, (whoami.json['identity'] as JsonObject)['id']], [200, person.id])
  const page = await browser.ask(`${gateway.url}app`)
  const claims = claimsOf(page.text)
  report.check(
    'the application gets a token',
    [claims?.sub, claims?.['sid'], claims?.['aal']],
    [person.id, whoami.json['id'], 'aal1'],
  )
  report.check('and no session cookie', page.text.includes('ory_kratos_session'), false)

  const token = await loginWithToken(`${gateway.url}.ory/`, person)
  const byToken = await ask(`${gateway.url}app`, { headers: { authorization: `Bearer ${token}` } })
  report.check('a session token as Authorization', [byToken.status, claimsOf(byToken.text)?.sub], [200, person.id])

  const init = await browser.ask(`${gateway.url}.ory/self-service/logout/browser`)
  const logoutUrl = textOf(init.json['logout_url'])
  report.check('logout is offered at the gateway', logoutUrl.startsWith(`${gateway.url}.ory/self-service/logout`), true)
  const cookie = browser.cookie
  const logout = await browser.ask(logoutUrl)
  report.check('logout', [logout.status, browser.cookies.has('ory_kratos_session')], [204, false])
  report.check('the cookie no longer counts', (await ask(`${gateway.url}app`, { headers: { cookie } })).status, 401)
  const others = await ask(`${gateway.url}app`, { headers: { authorization: `Bearer ${token}` } })
  report.check('the other session of the same person still does', others.status, 200)
  const apiLogout = await tell(`${gateway.url}.ory/self-service/logout/api`, { session_token: token }, {}, 'DELETE')
  report.check('logout of a token', apiLogout.status, 204)
  const after = await ask(`${gateway.url}app`, { headers: { authorization: `Bearer ${token}` } })
  report.check('the token no longer counts', after.status, 401)
}

export async function checkRevocation({ gateway, kratos, report }: Stage): Promise<void> {
  report.heading('Revocation by the admin API, through the gateway, while sessions are remembered')
  const admin = `${gateway.url}admin-api/admin`
  const open = async (): Promise<{ id: string; identity: string; browser: Browser }> => {
    const person = await createPerson(kratos.adminUrl)
    const browser = new Browser()
    await browser.login(`${gateway.url}.ory/`, person)
    const { text } = await browser.ask(`${gateway.url}app`)
    return { id: String(claimsOf(text)?.['sid']), identity: person.id, browser }
  }
  const status = async (browser: Browser): Promise<number> => (await browser.ask(`${gateway.url}app`)).status

  const one = await open()
  report.check(
    'DELETE /admin/sessions/{id}',
    (await ask(`${admin}/sessions/${one.id}`, { method: 'DELETE' })).status,
    204,
  )
  report.check('the next request is refused', await status(one.browser), 401)

  const all = await open()
  const deletion = await ask(`${admin}/identities/${all.identity}/sessions`, { method: 'DELETE' })
  report.check('DELETE /admin/identities/{id}/sessions', deletion.status, 204)
  report.check('the next request is refused', await status(all.browser), 401)

  const blocked = await open()
  const patch = [{ op: 'replace', path: '/state', value: 'inactive' }]
  const block = await tell(`${admin}/identities/${blocked.identity}`, patch, {}, 'PATCH')
  report.check('PATCH /admin/identities/{id} to inactive', block.status, 200)
  report.check('the next request is refused', await status(blocked.browser), 401)

  const elsewhere = await open()
  await ask(`${kratos.adminUrl}admin/sessions/${elsewhere.id}`, { method: 'DELETE' })
  report.note(
    `revoked past the gateway, remembered for at most the cache's ttl: next answer ${await status(elsewhere.browser)}`,
  )
}

/** Takes a Kratos whose sessions live for `lifespan` seconds and a gateway that extends them. */
export async function checkExtension({ gateway, kratos, report }: Stage, lifespan: number): Promise<void> {
  report.heading('Extension of sessions that are used')
  const person = await createPerson(kratos.adminUrl)
  const browser = new Browser()
  await browser.login(`${gateway.url}.ory/`, person)
  const before = await browser.ask(`${kratos.publicUrl}sessions/whoami`)
  const end = Date.parse(textOf(before.json['expires_at']))
  const cookie = browser.cookies.get('ory_kratos_session')
  // Into the last part of its life.
  await wait(lifespan * 600)
  report.check('a request in the last part of the life', (await browser.ask(`${gateway.url}app`)).status, 200)
  const extended = async (): Promise<number> => {
    const now = await ask(`${kratos.adminUrl}admin/sessions/${textOf(before.json['id'])}`)
    return Date.parse(textOf(now.json['expires_at']))
  }
  const deadline = Date.now() + 5000
  while ((await extended()) <= end && Date.now() < deadline) await wait(50)
  const seconds = Math.round(((await extended()) - end) / 1000)
  report.check('Kratos has the session live on', seconds > 0, true)
  report.note(`by ${seconds} s of ${lifespan} s`)
  const later = await browser.ask(`${gateway.url}app`)
  const renewed = browser.cookies.get('ory_kratos_session') !== cookie
  report.check('the browser gets the cookie that lives as long', [later.status, renewed], [200, true])
  await wait(Math.max(0, end - Date.now()) + 500)
  report.check('past the first end the session still counts', (await browser.ask(`${gateway.url}app`)).status, 200)
}

export async function checkStepUp({ gateway, kratos, report }: Stage): Promise<void> {
  report.heading('A second factor')
  const person = await createPerson(kratos.adminUrl)
  const browser = new Browser()
  const base = `${gateway.url}.ory/`
  await browser.login(base, person)
  const early = await browser.ask(`${gateway.url}vault`)
  report.check(
    'a rule that requires aal2 refuses a script',
    [early.status, errorOf(early)],
    [403, 'session_aal2_required'],
  )

  const settings = await browser.ask(`${base}self-service/settings/browser`)
  const secret = nodeOf(settings, 'totp_secret_key')
  const enrolled = await browser.submit(settings, { method: 'totp', totp_code: totp(secret) })
  report.check('TOTP is set up through /.ory', [enrolled.status, enrolled.json['state']], [200, 'success'])

  const again = new Browser()
  await again.login(base, person)
  const listed = await ask(`${kratos.adminUrl}admin/identities/${person.id}/sessions`)
  const ids = (listed.json as unknown as readonly JsonObject[]).map(({ id }) => id)
  const script = await again.ask(`${gateway.url}app`)
  report.check("Kratos' own 403 reaches a script", [script.status, errorOf(script)], [403, 'session_aal2_required'])
  const page = await again.navigate(`${gateway.url}app?x=1`)
  const target = new URL(page.headers.get('location') ?? 'none:')
  report.check(
    'a page is led to the flow, and back',
    [
      page.status,
      target.origin + target.pathname,
      ...['aal', 'return_to'].map((name) => target.searchParams.get(name)),
    ],
    [302, `${base}self-service/login/browser`, 'aal2', `${gateway.url}app?x=1`],
  )
  const begun = await again.navigate(target.href)
  const ui = new URL(begun.headers.get('location') ?? 'none:')
  report.check('Kratos begins the flow', [begun.status, ui.pathname], [303, '/login'])
  const flow = await again.ask(`${base}self-service/login/flows?id=${ui.searchParams.get('flow') ?? ''}`)
  report.check(
    'for the second factor, to come back',
    [flow.json['requested_aal'], flow.json['return_to']],
    ['aal2', `${gateway.url}app?x=1`],
  )
  const done = await again.submit(flow, { method: 'totp', totp_code: totp(secret) })
  report.check('the code is taken', done.status, 200)
  const open = await again.ask(`${gateway.url}app?x=1`)
  report.check(
    'the application opens, with a token that says so',
    [open.status, open.status === 200 ? claimsOf(open.text)?.['aal'] : open.json],
    [200, 'aal2'],
  )
  const sid = open.status === 200 ? claimsOf(open.text)?.['sid'] : undefined
  report.check('the session has kept its id', ids.includes(sid as string), true)
  report.check('and so does the rule that requires aal2', (await again.ask(`${gateway.url}vault`)).status, 200)
}

/** Ends Kratos. */
export async function checkOutage({ gateway, kratos, report }: Stage): Promise<void> {
  report.heading('Kratos is gone')
  const token = await loginWithToken(`${gateway.url}.ory/`, await createPerson(kratos.adminUrl))
  const headers = { authorization: `Bearer ${token}` }
  report.check('while it is there', (await ask(`${gateway.url}app`, { headers })).status, 200)
  await kratos.child.stop()
  report.check('a session that is remembered goes on', (await ask(`${gateway.url}app`, { headers })).status, 200)
  const unknown = await ask(`${gateway.url}app`, { headers: { authorization: `Bearer ${token}x` } })
  report.check('one that is not is no refusal', [unknown.status, unknown.headers.has('retry-after')], [503, true])
  report.check('nobody at all is one', (await ask(`${gateway.url}app`)).status, 401)
}
