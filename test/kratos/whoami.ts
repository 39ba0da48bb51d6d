/** `/sessions/whoami` of Mintkeeper's API beside that of a real Kratos, for the same credentials. */
import type { GatewayUnderTest } from './gateway.ts'
import type { Kratos } from './kratos.ts'
import { actionOf, ask, Browser, createPerson, loginWithToken, nodeOf, totp, type Answer } from './people.ts'
import type { Report } from './report.ts'

/** Headers that clients and caches look at. */
const HEADERS = ['content-type', 'cache-control', 'x-kratos-authenticated-identity-id', 'ory-error-id'] as const

export async function compareWhoami(kratos: Kratos, gateway: GatewayUnderTest, report: Report): Promise<void> {
  report.heading('whoami')
  const [one, two] = [await createPerson(kratos.adminUrl), await createPerson(kratos.adminUrl)]
  const browser = new Browser()
  await browser.login(kratos.publicUrl, one)
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const token = await loginWithToken(kratos.publicUrl, two)
  const stale = await loginWithToken(kratos.publicUrl, two)
  const settings = await ask(`${kratos.publicUrl}self-service/settings/api`, { headers: { 'x-session-token': token } })
  const secret = nodeOf(settings, 'totp_secret_key')
  await ask(actionOf(settings), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-session-token': token },
    body: JSON.stringify({ method: 'totp', totp_code: totp(secret) }),
  })
  const nonsense = 'ory_kratos_session=nonsense'
  const credentials: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'no credential': {},
    'a cookie': { cookie },
    'a session token': { 'x-session-token': token },
    'a bearer token': { authorization: `Bearer ${token}` },
    'a bearer token, scheme in small letters': { authorization: `bearer ${token}` },
    'two spaces after the scheme': { authorization: `Bearer  ${token}` },
    'a token that nobody has': { 'x-session-token': 'ory_st_0123456789abcdefghijklmnopqrstuv' },
    'a cookie that says nothing': { cookie: nonsense },
    'a bad token beside a good cookie': { 'x-session-token': 'bad', cookie },
    'a good token beside a good cookie of another': { 'x-session-token': token, cookie },
    'a good cookie beside a good bearer token of another': { cookie, authorization: `Bearer ${token}` },
    'a token in the cookie': { cookie: `ory_kratos_session=${token}` },
    'a session without the second factor that its person has': { 'x-session-token': stale },
  }
  for (const [name, headers] of Object.entries(credentials)) {
    const [theirs, ours] = await Promise.all(
      [kratos.publicUrl, gateway.api].map((base) => ask(`${base}sessions/whoami`, { headers })),
    )
    report.check(`${name}: ${theirs!.status}`, comparable(ours!), comparable(theirs!))
  }
}

function comparable({ status, json, headers }: Answer): object {
  return { status, json, headers: Object.fromEntries(HEADERS.map((name) => [name, headers.get(name) ?? ''])) }
}
