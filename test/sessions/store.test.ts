import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { HeaderLine } from '../../src/pipeline/contract/headers.ts'
import type { SessionAnswer, SessionQuestion, SessionReader } from '../../src/pipeline/contract/session_store.ts'
import { resolveSafeguards } from '../../src/config/profile.ts'
import { createSessionReader } from '../../src/sessions/reader.ts'
import { createSessionStore, type SessionStoreOptions } from '../../src/sessions/store.ts'
import { startServer, type TestServer } from '../support/http_server.ts'

const clock = { now: () => Date.parse('2026-01-01T00:00:00Z'), monotonic: () => 0 }
const settings = { subject_from: 'identity.id', extra_from: '@this' }
const strict = createSessionReader(settings, resolveSafeguards('secure', {}), clock)
const lenient = createSessionReader(settings, resolveSafeguards('oathkeeper', {}), clock)

const alice = {
  id: 'session-of-alice',
  active: true,
  expires_at: '2026-01-01T01:00:00Z',
  identity: { id: 'alice', traits: { email: 'alice@example.org' } },
}

function question(
  url: string,
  reader: SessionReader,
  headers: readonly HeaderLine[] = [['cookie', 'ory_kratos_session=a']],
): SessionQuestion {
  return { url: `${url}/sessions/whoami`, method: 'GET', headers, reader }
}

async function ask(
  server: TestServer,
  reader: SessionReader,
  options: SessionStoreOptions = {},
): Promise<SessionAnswer> {
  const store = createSessionStore(options)
  try {
    return await store.ask(question(server.url, reader))
  } finally {
    await store.close()
  }
}

const json = (status: number, body: unknown, headers: Record<string, string | string[]> = {}) =>
  startServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  })

describe('an answer of the session store', () => {
  it('is a session with its id and end', async () => {
    await using server = await json(200, alice, { 'set-cookie': ['ory_kratos_session=b; Path=/', 'other=1'] })
    expect(await ask(server, strict)).toEqual({
      outcome: 'session',
      session: {
        subject: 'alice',
        extra: alice,
        id: 'session-of-alice',
        identity: 'alice',
        expiresAt: Date.parse(alice.expires_at),
      },
      setCookie: ['ory_kratos_session=b; Path=/', 'other=1'],
    })
  })

  it.each([
    ['401', 401, 'credentials_invalid', 'credentials_invalid'],
    ['403', 403, 'access_denied', 'credentials_invalid'],
    ['404', 404, 'session_store_unavailable', 'credentials_invalid'],
    ['204', 204, 'session_store_unavailable', 'credentials_invalid'],
    ['500', 500, 'session_store_unavailable', 'session_store_unavailable'],
    ['503', 503, 'session_store_unavailable', 'session_store_unavailable'],
  ])('with status %s keeps refusal and outage apart', async (_name, status, secure, oathkeeper) => {
    await using server = await json(status, { error: { code: status } })
    expect(await ask(server, strict)).toMatchObject({ error: { code: secure } })
    expect(await ask(server, lenient)).toMatchObject({ error: { code: oathkeeper } })
  })

  it('passes the second factor on with its body', async () => {
    const body = { error: { id: 'session_aal2_required', code: 403 }, redirect_browser_to: 'https://id.example/aal2' }
    await using server = await json(403, body)
    const answer = await ask(server, strict)
    expect(answer).toMatchObject({ outcome: 'denied', error: { code: 'session_aal2_required', status: 403 } })
    expect(answer.outcome === 'denied' && JSON.parse(answer.error.body ?? '')).toEqual(body)
  })

  it('passes rate limits on', async () => {
    await using server = await json(429, {}, { 'retry-after': '7', 'x-ratelimit-limit': '10' })
    const answer = await ask(server, strict)
    expect(answer).toMatchObject({ outcome: 'denied', error: { status: 429 } })
    expect(answer.outcome === 'denied' && answer.error.headers).toEqual([
      ['Retry-After', '7'],
      ['X-Ratelimit-Limit', '10'],
    ])
  })

  it.each([
    ['inactive', { ...alice, active: false }, 'denied'],
    ['expired', { ...alice, expires_at: '2025-12-31T23:59:59Z' }, 'denied'],
    ['without active', { ...alice, active: undefined }, 'unavailable'],
    ['without an end', { ...alice, expires_at: undefined }, 'unavailable'],
    ['without a subject', { ...alice, identity: {} }, 'unavailable'],
    ['with an empty subject', { ...alice, identity: { id: '' } }, 'unavailable'],
  ])('%s counts only without strict requirements', async (_name, body, outcome) => {
    await using server = await json(200, body)
    expect(await ask(server, strict)).toMatchObject({ outcome })
    expect(await ask(server, lenient)).toMatchObject({ outcome: 'session' })
  })

  it.each([
    ['a subject that is no string', { ...alice, identity: { id: 7 } }, 'subject_from'],
    ['an extra that is no object', 'text', 'extra_from'],
  ])('with %s is refused with the name of the path', async (_name, body, key) => {
    await using server = await json(200, body)
    const answer = await ask(server, lenient)
    expect(answer).toMatchObject({ outcome: 'denied', error: { code: 'session_response_invalid' } })
    expect(answer.outcome === 'denied' && answer.error.reason).toContain(key)
  })

  it.each([
    ['half a JSON document', '{"active": tr', 'session_store_unavailable', 'session_store_unavailable'],
    ['a login page', '<html>please log in</html>', 'session_store_unavailable', undefined],
    ['nothing', '', 'session_store_unavailable', undefined],
  ])('that is %s', async (_name, body, secure, oathkeeper) => {
    await using server = await startServer((_request, response) => response.end(body))
    expect(await ask(server, strict)).toMatchObject({ error: { code: secure } })
    expect(await ask(server, lenient)).toMatchObject(
      oathkeeper === undefined
        ? { outcome: 'session', session: { subject: '', extra: null } }
        : { error: { code: oathkeeper } },
    )
  })
})

describe('the session store out of order', () => {
  it.each([
    ['breaks off before the answer', (response: ServerResponse) => response.destroy()],
    [
      'breaks off in the middle',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('{', () => response.destroy())
      },
    ],
    ['sends too much', (response: ServerResponse) => response.end(JSON.stringify({ padding: 'x'.repeat(2000) }))],
    ['sends invalid UTF-8', (response: ServerResponse) => response.end(Buffer.from([0x22, 0xff, 0x22]))],
    ['never answers', () => undefined],
  ])('that %s is an outage', async (_name, respond) => {
    await using server = await startServer((_request, response) => respond(response))
    const answer = await ask(server, lenient, { timeout: 300, maxBody: 1000 })
    expect(answer).toMatchObject({ outcome: 'unavailable', error: { code: 'session_store_unavailable', status: 503 } })
    expect(answer.outcome === 'unavailable' && answer.error.headers).toEqual([['Retry-After', '1']])
    expect(answer.outcome === 'unavailable' && answer.error.detail).not.toContain('127.0.0.1')
  })

  it('that nobody listens for is an outage', async () => {
    const gone = await json(200, alice)
    await gone[Symbol.asyncDispose]()
    expect(await ask(gone, lenient)).toMatchObject({ outcome: 'unavailable' })
  })
})

describe('calls', () => {
  it('are shared by identical questions in flight, and only by those', async () => {
    const release: (() => void)[] = []
    await using server = await startServer((_request, response) => {
      release.push(() => response.end(JSON.stringify(alice)))
      if (release.length === 3) for (const go of release) go()
    })
    const store = createSessionStore()
    const questions = [
      ...Array.from({ length: 50 }, () => question(server.url, strict)),
      question(server.url, lenient),
      question(server.url, strict, [['cookie', 'ory_kratos_session=b']]),
    ]
    const answers = await Promise.all(questions.map(async (each) => store.ask(each)))
    await store.close()
    expect(server.requests).toHaveLength(3)
    expect(answers.every(({ outcome }) => outcome === 'session')).toBe(true)
  })

  it('are never more at a time than configured', async () => {
    let active = 0
    let most = 0
    await using server = await startServer((_request, response) => {
      active++
      most = Math.max(most, active)
      setImmediate(() => {
        active--
        response.end(JSON.stringify(alice))
      })
    })
    const store = createSessionStore({ concurrency: 4 })
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, user) =>
        store.ask(question(server.url, strict, [['cookie', `ory_kratos_session=${user}`]])),
      ),
    )
    await store.close()
    expect(answers.every(({ outcome }) => outcome === 'session')).toBe(true)
    expect(server.requests).toHaveLength(100)
    expect(most).toBeLessThanOrEqual(4)
  })

  it('that cannot begin in time are told as overload', async () => {
    await using server = await startServer(() => undefined)
    const store = createSessionStore({ concurrency: 1, timeout: 200 })
    const answers = await Promise.all(
      ['a', 'b'].map(async (user) =>
        store.ask(question(server.url, strict, [['cookie', `ory_kratos_session=${user}`]])),
      ),
    )
    await store.close()
    expect(
      answers
        .map((answer) => answer.outcome === 'unavailable' && answer.error.code)
        .toSorted((a, b) => String(a).localeCompare(String(b))),
    ).toEqual(['overloaded', 'session_store_unavailable'])
  })

  it('follow redirects on the same origin only, so that credentials never go elsewhere', async () => {
    await using elsewhere = await json(200, alice)
    await using server = await startServer((request, response) => {
      if (request.url === '/moved') response.end(JSON.stringify(alice))
      else response.writeHead(302, { location: request.headers['x-target'] as string }).end()
    })
    const store = createSessionStore()
    const to = (target: string) => store.ask(question(server.url, lenient, [['x-target', target]]))
    expect(await to('/moved')).toMatchObject({ outcome: 'session' })
    expect(await to(`${elsewhere.url}/moved`)).toMatchObject({
      outcome: 'denied',
      error: { code: 'credentials_invalid' },
    })
    expect(await to('//127.0.0.1:1/moved')).toMatchObject({ outcome: 'denied' })
    await store.close()
    expect(elsewhere.requests).toHaveLength(0)
  })
})

describe('a connection that was kept open', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['closed', (socket) => void socket.end()],
    ['reset', (socket) => socket.resetAndDestroy()],
  ])('and is %s under the next question costs nobody an answer', async (_name, leave) => {
    const body = JSON.stringify(alice)
    let connections = 0
    const server = createServer((socket) => {
      connections++
      let questions = 0
      socket.on('error', () => socket.destroy())
      socket.on('data', () => {
        if (++questions > 1) leave(socket)
        else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      })
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const store = createSessionStore({ concurrency: 1 })
    for (let round = 0; round < 3; round++)
      expect(await store.ask(question(url, strict))).toMatchObject({ outcome: 'session' })
    expect(connections).toBe(3)
    await store.close()
    server.close()
  })
})

describe('an answer without a document', () => {
  it.each([
    ['extra', null],
    ['@this', null],
    ['{"id":identity.id}', {}],
  ])('extra_from %s gives %j', (path, expected) => {
    const paths = { subject_from: 'subject', extra_from: path }
    const reader = createSessionReader(paths, resolveSafeguards('oathkeeper', {}), clock)
    expect(reader.read(undefined)).toEqual({ subject: '', extra: expected })
  })
})
