/** `mintkeeper proxy` before a real Kratos that knows nothing of it: its base URL is its own address. */
import { spawnCli } from '../cli/run.ts'
import { claimsOf, type Application } from './gateway.ts'
import type { Kratos } from './kratos.ts'
import { actionOf, ask, Browser, createPerson, loginWithToken, textOf } from './people.ts'
import type { Report } from './report.ts'

export async function checkOryProxy(kratos: Kratos, application: Application, report: Report): Promise<void> {
  report.heading('mintkeeper proxy, with a Kratos that calls itself by its own address')
  const running = spawnCli(['proxy', application.origin, '--kratos', kratos.publicUrl, '--port', '0'])
  try {
    const [, own = ''] = await running.errMatching(/proxy {4}(\S+)\n[^]*keys of the JWTs\n/)
    const base = `${own}/.ory/`
    const person = await createPerson(kratos.adminUrl)
    const browser = new Browser()
    const visitor = await browser.ask(`${own}/`)
    report.check(
      'visitors reach the application, without a token',
      [visitor.status, claimsOf(visitor.text)],
      [200, undefined],
    )

    const begun = await browser.navigate(`${base}self-service/login/browser`)
    const ui = new URL(begun.headers.get('location') ?? 'none:')
    report.check('the login page is on the same address', [begun.status, ui.origin, ui.pathname], [303, own, '/login'])
    const flow = await browser.ask(`${base}self-service/login/browser`)
    report.check('forms go to the same address', actionOf(flow).startsWith(`${base}self-service/login?flow=`), true)
    const login = await browser.login(base, person)
    report.check('login', [login.status, browser.cookies.has('ory_kratos_session')], [200, true])

    const whoami = await ask(`${kratos.publicUrl}sessions/whoami`, { headers: { cookie: browser.cookie } })
    const page = await browser.ask(`${own}/page`)
    const claims = claimsOf(page.text)
    report.check('the token says who', claims?.sub, person.id)
    report.check('and carries the whole session as Kratos has it', claims?.['session'], whoami.json)
    const token = await loginWithToken(base, person)
    for (const headers of [{ authorization: `Bearer ${token}` }, { 'x-session-token': token }]) {
      const answer = await ask(`${own}/page`, { headers })
      report.check(`a session token as ${Object.keys(headers)[0]}`, claimsOf(answer.text)?.sub, person.id)
    }
    const jwks = await ask(`${own}/.ory/jwks.json`)
    report.check('the key set', [jwks.status, (jwks.json['keys'] as readonly unknown[]).length], [200, 1])

    const init = await browser.ask(`${base}self-service/logout/browser`)
    const logoutUrl = textOf(init.json['logout_url'])
    report.check('logout is on the same address', logoutUrl.startsWith(`${base}self-service/logout`), true)
    const logout = await browser.navigate(logoutUrl)
    report.check('logout leads there, too', [logout.status, logout.headers.get('location')], [303, `${own}/login`])
    report.check('the application has a visitor again', claimsOf((await browser.ask(`${own}/page`)).text), undefined)
  } finally {
    running.child.kill('SIGINT')
    await running.ended
  }
}
