/**
 * The page behind the gateway: shows the notes of whoever opens it. It holds no session and no secret; it hands the
 * token that it got from Mintkeeper on to PostgREST, which verifies it.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { escapeHtml, renderPage, type Page } from './page_layout.ts'
import { host } from './ports.ts'

interface NotesPageOptions {
  readonly port: number
  /** Where PostgREST is, without a trailing slash. */
  readonly postgrestUrl: string
}

export interface NotesPage {
  readonly close: () => Promise<void>
}

interface Row {
  readonly id: number
  readonly text: string
}

const signOut = `
document.querySelector('button').addEventListener('click', async () => {
  const answer = await fetch('/.ory/kratos/public/self-service/logout/browser', { headers: { Accept: 'application/json' } })
  location.href = answer.ok ? (await answer.json()).logout_url : '/'
})
`

const failed = (status: number, explanation: string): { status: number; page: Page } => ({
  status,
  page: {
    title: 'Your notes',
    main: `<h1>Your notes</h1>\n<p class="error" role="alert">${escapeHtml(explanation)}</p>`,
  },
})

/** The claims of a token, unverified: they are only shown. */
const claimsOf = (authorization: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>

const notes = async (request: IncomingMessage, postgrestUrl: string): Promise<{ status: number; page: Page }> => {
  const { authorization } = request.headers
  if (authorization === undefined)
    return failed(401, 'This page was opened without a token: open it through Mintkeeper.')
  let response
  try {
    const headers = { Authorization: authorization, Accept: 'application/json' }
    response = await fetch(`${postgrestUrl}/notes?select=id,text&order=id`, {
      headers,
      signal: AbortSignal.timeout(5000),
    })
  } catch {
    return failed(502, 'PostgREST does not answer. Start the demo again, or see its log for the reason.')
  }
  if (!response.ok) return failed(502, `PostgREST answered ${response.status}: ${await response.text()}`)

  const rows = (await response.json()) as Row[]
  const claims = claimsOf(authorization)
  const list = rows.map(({ id, text }) => `<tr><td>${id}</td><td>${escapeHtml(text)}</td></tr>`).join('\n')
  const main = `<h1>Your notes</h1>
<p>Signed in as <strong>${escapeHtml(String(claims['email']))}</strong>. PostgreSQL shows only the rows whose owner is the
subject of your token.</p>
<table>
<thead><tr><th scope="col">Row</th><th scope="col">Text</th></tr></thead>
<tbody>
${list}
</tbody>
</table>
<button type="button">Sign out</button>
<h2>What the token says</h2>
<p class="soft">Mintkeeper made it from your session. It never reaches your browser, and your cookie never reaches PostgREST.</p>
<pre>${escapeHtml(JSON.stringify(claims, null, 2))}</pre>`
  return { status: 200, page: { title: 'Your notes', main, script: signOut } }
}

export const startNotesPage = async ({ port, postgrestUrl }: NotesPageOptions): Promise<NotesPage> => {
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { status, page } = await notes(request, postgrestUrl)
      const { headers, body } = renderPage(page)
      response.writeHead(status, headers).end(body)
    }
    answer().catch(() => response.destroy())
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
