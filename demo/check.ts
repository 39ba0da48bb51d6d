/** Walks through the whole demo as a user would, and says of each step whether it went as promised. */
import { createBrowser, type Visit } from './browser.ts'
import type { Stack } from './stack.ts'
import type { DemoUser } from './users.ts'

/** What a step found instead of what it should have. */
class Surprise extends Error {
  override readonly name = 'Surprise'
}

const expect = (fine: boolean, found: string): void => {
  if (!fine) throw new Surprise(found)
}

const curl = async (url: string, init: RequestInit = {}): Promise<{ status: number; text: string }> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000), ...init })
  return { status: response.status, text: await response.text() }
}

const as = (user: DemoUser): { Authorization: string } => ({ Authorization: `Bearer ${user.token}` })

const unescapeHtml = (text: string): string =>
  text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))

const attribute = (html: string, before: string): string => {
  const [, value] = new RegExp(`${before}"([^"]*)"`).exec(html) ?? []
  if (value === undefined) throw new Surprise(`no ${before}"…" on the page`)
  return unescapeHtml(value)
}

const shows = ({ body }: Visit, user: DemoUser): boolean => {
  const text = unescapeHtml(body)
  return user.notes.every((note) => text.includes(note))
}

type Step = readonly [title: string, run: () => Promise<void>]

const curlSteps = ({ publicUrl, apiUrl, users }: Stack): Step[] => {
  const [alice, bob] = users
  const notes = `${publicUrl}/rest/notes?select=owner,text&order=id`
  const ownRows = (user: DemoUser) => async (): Promise<void> => {
    const { status, text } = await curl(notes, { headers: as(user) })
    const wanted = JSON.stringify(user.notes.map((note) => ({ owner: user.id, text: note })))
    expect(status === 200 && JSON.stringify(JSON.parse(text)) === wanted, `status ${status}: ${text}`)
  }
  return [
    [
      'Nobody gets a 401 and no rows',
      async () => {
        const { status, text } = await curl(notes)
        expect(status === 401 && !text.includes(alice.id), `status ${status}: ${text}`)
      },
    ],
    ['Alice gets her rows and no others', ownRows(alice)],
    ['Bob gets his rows and no others', ownRows(bob)],
    [
      'A made-up session token gets a 401',
      async () => {
        const { status, text } = await curl(notes, { headers: { Authorization: `Bearer ory_st_${'x'.repeat(32)}` } })
        expect(status === 401, `status ${status}: ${text}`)
      },
    ],
    [
      'Alice cannot write a row for Bob',
      async () => {
        const headers = { ...as(alice), 'Content-Type': 'application/json' }
        const body = JSON.stringify({ owner: bob.id, text: 'Off with his head.' })
        const { status, text } = await curl(`${publicUrl}/rest/notes`, { method: 'POST', headers, body })
        expect(status === 403, `status ${status}: ${text}`)
      },
    ],
    [
      'Everybody reads the announcements',
      async () => {
        const { status, text } = await curl(`${publicUrl}/rest/announcements`)
        expect(status === 200 && text.includes('Everybody may read this'), `status ${status}: ${text}`)
      },
    ],
    [
      'The published key set has public halves only',
      async () => {
        const { status, text } = await curl(`${apiUrl}/.well-known/jwks.json`)
        const { keys } = JSON.parse(text) as { keys: Record<string, unknown>[] }
        expect(
          status === 200 && keys.length === 1 && keys[0]?.['d'] === undefined,
          `status ${status}: ${keys.length} keys`,
        )
      },
    ],
  ]
}

const browserSteps = ({ publicUrl, users }: Stack): Step[] => {
  const [alice, bob] = users
  const browser = createBrowser()
  let loginPage: Visit
  return [
    [
      'A browser without a session is sent to the login page',
      async () => {
        loginPage = await browser.open(`${publicUrl}/`)
        const { url, status, body, trail } = loginPage
        expect(status === 200 && url.startsWith(`${publicUrl}/login?flow=`), `status ${status} at ${trail.join(' → ')}`)
        expect(trail[1]?.includes('return_to=') === true, `no return_to in ${trail[1]}`)
        expect(body.includes('stands in for Ory Kratos'), 'the page does not say what it is')
      },
    ],
    [
      'Alice logs in, comes back and sees her rows',
      async () => {
        const form = {
          csrf_token: attribute(loginPage.body, 'name="csrf_token" value='),
          identifier: alice.email,
          password: alice.password,
          method: 'password',
        }
        const page = await browser.submit(attribute(loginPage.body, 'action='), form)
        expect(
          page.status === 200 && page.url === `${publicUrl}/`,
          `status ${page.status} at ${page.trail.join(' → ')}`,
        )
        expect(shows(page, alice) && !shows(page, bob), 'the page shows other rows')
      },
    ],
    [
      'Her cookie works for the API, too',
      async () => {
        const { status, body } = await browser.open(`${publicUrl}/rest/notes`, 'application/json')
        expect(status === 200 && body.includes(alice.id) && !body.includes(bob.id), `status ${status}: ${body}`)
      },
    ],
    [
      'After signing out there are no rows',
      async () => {
        const start = await browser.open(
          `${publicUrl}/.ory/kratos/public/self-service/logout/browser`,
          'application/json',
        )
        expect(start.status === 200, `status ${start.status}: ${start.body}`)
        const { logout_url: logoutUrl } = JSON.parse(start.body) as { logout_url: string }
        const page = await browser.open(logoutUrl)
        expect(
          page.url.startsWith(`${publicUrl}/login?flow=`) && !shows(page, alice),
          `ended at ${page.trail.join(' → ')}`,
        )
        const { status } = await browser.open(`${publicUrl}/rest/notes`, 'application/json')
        expect(status === 401, `status ${status} for the API`)
      },
    ],
  ]
}

/** Returns whether every step went as promised. */
export const checkStack = async (stack: Stack, say: (message: string) => void): Promise<boolean> => {
  const steps = curlSteps(stack)
  if (stack.standIn === undefined)
    say('  (skipped: the way through the browser, as the login page is not the demo’s own)')
  else steps.push(...browserSteps(stack))
  let failures = 0
  for (const [title, run] of steps) {
    try {
      await run()
      say(`  ok      ${title}`)
    } catch (error) {
      failures += 1
      say(`  FAILED  ${title}: ${error instanceof Surprise ? error.message : String(error)}`)
    }
  }
  return failures === 0
}
