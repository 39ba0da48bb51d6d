/** The HTML side of the stand-in: what a self-service UI in front of Kratos would show. */
import { escapeHtml, renderPage } from '../page_layout.ts'
import type { Kratos } from './credentials.ts'
import { csrfCookie, csrfTokenOf, maskCsrfToken } from './csrf.ts'
import type { ApiError } from './errors.ts'
import type { LoginFlow } from './flows.ts'
import { seeOther, type Reply, type Route } from './http.ts'

/** Said at start, in a header of every answer and on every page. */
export const notice = 'stands in for Ory Kratos; for demo and tests only'

const page = (status: number, title: string, main: string, headers: Reply['headers'] = {}): Reply => {
  const banner = `<p class="note" role="note">This page <strong>${notice}</strong>. Its passwords are public.</p>`
  const rendered = renderPage({ title, main: `<h1>${escapeHtml(title)}</h1>\n${banner}\n${main}` })
  return { status, headers: { ...rendered.headers, ...headers }, body: rendered.body }
}

export const errorPage = (error: ApiError): Reply =>
  page(
    error.status,
    'Something went wrong',
    `<p class="error" role="alert">${escapeHtml(error.parts.reason ?? error.parts.message)}</p>`,
  )

export const createPages = ({ settings, store }: Kratos, flows: ReadonlyMap<string, LoginFlow>) => {
  const accounts = (): string =>
    [...store.identities.values()]
      .map(({ traits, password }) => [String(traits['email']), password])
      .map(([email = '', password = '']) => `<tr><td>${escapeHtml(email)}</td><td>${escapeHtml(password)}</td></tr>`)
      .join('\n')

  const index: Route = () =>
    page(
      200,
      'Kratos stand-in',
      `<p><a href="${escapeHtml(settings.baseUrl)}self-service/login/browser">Sign in</a></p>`,
    )

  /** Without a flow of its own the page goes and gets one. */
  const login: Route = (call) => {
    const flow = flows.get(call.url.searchParams.get('flow') ?? '')
    if (flow === undefined || flow.type !== 'browser' || flow.expiresAt <= settings.now()) {
      const query = new URLSearchParams(call.url.searchParams)
      query.delete('flow')
      return seeOther(`${settings.baseUrl}self-service/login/browser${query.size > 0 ? `?${query.toString()}` : ''}`)
    }
    const token = csrfTokenOf(call, settings)
    const problems = flow.messages.map(({ text }) => `<p class="error" role="alert">${escapeHtml(text)}</p>`).join('\n')
    const main = `${problems}
<form method="post" action="${escapeHtml(settings.baseUrl)}self-service/login?flow=${flow.id}">
<input type="hidden" name="csrf_token" value="${maskCsrfToken(token)}">
<label for="identifier">Email</label>
<input id="identifier" name="identifier" type="email" autocomplete="username" required autofocus value="${escapeHtml(flow.identifier)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button type="submit" name="method" value="password">Sign in</button>
</form>
<h2>Accounts to try</h2>
<table>
<thead><tr><th scope="col">Email</th><th scope="col">Password</th></tr></thead>
<tbody>
${accounts()}
</tbody>
</table>`
    return page(200, 'Sign in', main, { 'Set-Cookie': csrfCookie(token, settings) })
  }

  return { index, login }
}
