import { afterEach, describe, expect, it } from 'vitest'
import { createStandIn, type StandIn } from '../../demo/stand-in/server.ts'
import { arrange, named, whoamiVectors, type HeaderExpectation } from './vectors.ts'

const running: StandIn[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((standIn) => standIn.close()))
})

/** What a header's expectation means to vitest. */
const headerMatcher = (expected: HeaderExpectation): unknown => {
  if (expected === 'present') return expect.any(String)
  if (typeof expected === 'string') return expected
  if ('absent' in expected) return null
  const { integer, tolerance } = expected
  const accepted = Array.from({ length: 2 * tolerance + 1 }, (_, index) => integer - tolerance + index)
  return expect.stringMatching(new RegExp(`^(?:${accepted.join('|')})$`))
}

/** `{prefix: "…"}` stands for any text that starts so. */
const pattern = (expected: unknown): unknown => {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return expected
  if ('prefix' in expected) return expect.stringMatching(new RegExp(`^${String(expected.prefix)}`))
  return Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, pattern(value)]))
}

interface Body {
  readonly identity?: object
}

describe('/sessions/whoami answers as Kratos does', () => {
  it.each(named(whoamiVectors()))('%s', async (_id, vector) => {
    const { standIn, fill } = await arrange(vector)
    running.push(standIn)
    const { method, path, headers } = vector.given.request
    const filled = Object.entries(headers).map(([name, value]): [string, string] => [name, fill(value)])
    const response = await fetch(`${standIn.publicUrl}${path}`, { method, headers: filled, redirect: 'manual' })
    const text = await response.text()
    const body = (text === '' ? '' : JSON.parse(text)) as Body

    const expected = JSON.parse(fill(JSON.stringify(vector.expect))) as typeof vector.expect
    const { headers: wanted = {}, identity_keys_in_order: identityKeys = [] } = expected
    expect(response.status).toBe(expected.status)
    expect(Object.fromEntries(Object.keys(wanted).map((name) => [name, response.headers.get(name)]))).toEqual(
      Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, headerMatcher(value)])),
    )
    expect(body).toEqual(expected.body ?? body)
    expect({ body }).toMatchObject({ body: pattern(expected.body_includes ?? {}) })
    const cookies = response.headers.getSetCookie()
    expect(cookies).toHaveLength(expected.set_cookie_count ?? cookies.length)
    expect(Object.keys(body)).toEqual(expected.top_level_keys ?? Object.keys(body))
    const present = Object.keys(body.identity ?? {})
    expect(identityKeys.filter((name) => !name.endsWith('?') && !present.includes(name))).toEqual([])
    const order = identityKeys.map((name) => name.replace('?', ''))
    expect(order.filter((name) => present.includes(name))).toEqual(order.length === 0 ? [] : present)
  })
})

const start = async (): Promise<StandIn> => {
  const standIn = await createStandIn()
  running.push(standIn)
  return standIn
}

describe('test knobs', () => {
  it('says in every answer that it stands in for Kratos', async () => {
    const standIn = await start()
    const [api, page] = await Promise.all([fetch(`${standIn.adminUrl}/health/alive`), fetch(`${standIn.publicUrl}/`)])
    expect(api.headers.get('server')).toContain('stands in for Ory Kratos')
    expect(await page.text()).toContain('stands in for Ory Kratos')
  })

  it('counts the checks of each credential', async () => {
    const standIn = await start()
    const { token, cookie } = standIn.signIn(standIn.alice)
    await fetch(`${standIn.publicUrl}/sessions/whoami`, { headers: { 'X-Session-Token': token } })
    await fetch(`${standIn.publicUrl}/sessions/whoami`, { headers: { Cookie: cookie } })
    await fetch(`${standIn.publicUrl}/sessions/whoami`)
    expect(Object.fromEntries(standIn.calls)).toEqual({ [token]: 2, '': 1 })
  })

  it('tells an outage only on the health check', async () => {
    const standIn = await start()
    standIn.settings.databaseDown = true
    expect((await fetch(`${standIn.publicUrl}/health/ready`)).status).toBe(503)
    expect((await fetch(`${standIn.publicUrl}/health/alive`)).status).toBe(200)
    expect((await fetch(`${standIn.adminUrl}/admin/sessions`)).status).toBe(500)
  })

  it('has a clock that ends sessions', async () => {
    const standIn = await start()
    const { cookie } = standIn.signIn(standIn.alice)
    const status = async () =>
      (await fetch(`${standIn.publicUrl}/sessions/whoami`, { headers: { Cookie: cookie } })).status
    expect(await status()).toBe(200)
    const end = Date.now() + standIn.settings.lifespan * 1000 + 1
    standIn.settings.now = () => end
    expect(await status()).toBe(401)
  })

  it('refreshes the cookie of an extended session once', async () => {
    const standIn = await start()
    const { row, cookie } = standIn.signIn(standIn.alice)
    row.expiresAt += 1000
    const first = await fetch(`${standIn.publicUrl}/sessions/whoami`, { headers: { Cookie: cookie } })
    const [refreshed = ''] = first.headers.getSetCookie()
    expect(refreshed).toMatch(/^ory_kratos_session=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/)
    const second = await fetch(`${standIn.publicUrl}/sessions/whoami`, {
      headers: { Cookie: refreshed.split(';')[0] ?? '' },
    })
    expect(second.status).toBe(200)
    expect(second.headers.getSetCookie()).toEqual([])
  })

  it('makes tokens with a template that is given', async () => {
    const standIn = await start()
    standIn.settings.tokenizers = { mine: (session) => `token of ${(session as { id: string }).id}` }
    const { row, token } = standIn.signIn(standIn.alice)
    const headers = { Authorization: `Bearer ${token}` }
    const response = await fetch(`${standIn.publicUrl}/sessions/whoami?tokenize_as=mine`, { headers })
    expect(await response.json()).toMatchObject({ id: row.id, tokenized: `token of ${row.id}` })
  })
})
