import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createStandIn } from '../../demo/stand-in/server.ts'
import { openClient } from '../support/raw-client.ts'
import { atEnd, listen, newFolder, ports } from './processes.ts'
import { spawnCli, writeGateway, type Folder, type Spawned } from './run.ts'

const free = { host: '127.0.0.1', port: 0 }
const serving = { proxy: free, api: free, prometheus: free, shutdown: { drain: '300ms', grace: '1s' } }

/** An upstream that says nothing of note, and a gateway with two workers before it; `config` lies over theirs. */
async function start(
  config: object = {},
  authenticator = 'anonymous',
): Promise<{ spawned: Spawned; proxy: number; api: number; metrics: number; files: Folder }> {
  const upstream = await listen(createServer((_, response) => response.end('hello')))
  const files = newFolder()
  const file = writeGateway(files, { serve: serving, ...config })
  files.write('rules.yaml', [
    {
      id: 'hello',
      match: { url: 'http://app.example/<.*>', methods: ['GET'] },
      authenticators: [{ handler: authenticator }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'noop' }],
      upstream: { url: `http://127.0.0.1:${upstream}` },
    },
  ])
  const spawned = spawnCli(['serve', '--workers', '2', '-c', file])
  atEnd(async () => {
    // The primary ends its workers; a primary that is killed leaves them to notice by themselves.
    spawned.child.kill('SIGTERM')
    spawned.child.kill('SIGTERM')
    await spawned.ended
  })
  const bound = await ports(spawned)
  await spawned.errMatching(/\n {2}workers {2}2\n/)
  return { spawned, ...bound, files }
}

/** One request on a connection of its own, as a browser's first. */
async function get(port: number, cookie?: string): Promise<number> {
  const client = await openClient(port)
  const credentials = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`
  client.write(`GET /hello HTTP/1.1\r\nHost: app.example\r\n${credentials}\r\n`)
  const { status } = await client.response()
  client.close()
  return status
}

/** How many requests the metrics tell of. */
async function counted(metrics: number): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
  const lines = page.match(/^ory_oathkeeper_requests_total\{.*"oathkeeper-proxy".*\} \d+$/gm) ?? []
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Pids of workers: the primary has no other children. */
async function workers({ child }: Spawned): Promise<ReadonlySet<number>> {
  const { readFileSync } = await import('node:fs')
  const text = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
  return new Set(text.trim().split(' ').filter(Boolean).map(Number))
}

describe('serve --workers', { timeout: 60_000 }, () => {
  it('serves from several processes, adds up their metrics, and stops as one', async () => {
    const { spawned, proxy, metrics } = await start()
    expect((await workers(spawned)).size).toBe(2)
    for (let n = 0; n < 6; n += 1) expect(await get(proxy)).toBe(200)
    const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    await expect
      .poll(page)
      .toMatch(
        /ory_oathkeeper_requests_total\{method="GET",request="\/hello",service="oathkeeper-proxy",status_code="200"\} 6\n/,
      )
    expect(await page()).toMatch(/ory_oathkeeper_rules\{state="valid"\} 1\n/)
    spawned.child.kill('SIGTERM')
    const { exitCode, out, err } = await spawned.ended
    expect(exitCode).toBe(0)
    expect(err.match(/^Mintkeeper /gm)).toHaveLength(1)
    const lines = out.trimEnd().split('\n')
    expect(lines.filter((line) => (JSON.parse(line) as { granted?: boolean }).granted === true)).toHaveLength(6)
  })

  it('replaces a worker that is lost, while the other one serves', async () => {
    const { spawned, proxy } = await start()
    const [victim] = await workers(spawned)
    process.kill(victim!, 'SIGKILL')
    await spawned.errMatching(new RegExp(`Worker ${victim} ended \\(SIGKILL\\); another one starts in 100 ms\\.`))
    for (let n = 0; n < 4; n += 1) expect(await get(proxy)).toBe(200)
    await expect.poll(async () => (await workers(spawned)).size, { timeout: 20_000 }).toBe(2)
    expect((await workers(spawned)).has(victim!)).toBe(false)
  })

  it('forgets nothing that a worker has counted when another one takes its place', async () => {
    const { spawned, proxy, metrics } = await start()
    const before = await workers(spawned)
    for (let n = 0; n < 6; n += 1) await get(proxy)
    spawned.child.kill('SIGUSR2')
    await spawned.errMatching(/is replaced by[^]*is replaced by/)
    await expect
      .poll(async () => [...(await workers(spawned))].filter((pid) => before.has(pid)), { timeout: 20_000 })
      .toEqual([])
    await expect.poll(() => counted(metrics)).toBe(6)
    for (let n = 0; n < 4; n += 1) await get(proxy)
    await expect.poll(() => counted(metrics)).toBe(10)
    const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    expect(page).toMatch(/requests_duration_seconds_count\{.*service="oathkeeper-proxy".*\} 10\n/)
    // What a process has now does not outlive it.
    expect(page).toMatch(/ory_oathkeeper_config_last_reload_successful 1\n/)
    expect(page).toMatch(/ory_oathkeeper_rules\{state="valid"\} 1\n/)
  })

  it('tells no less of a worker that has crashed than it has told before', async () => {
    const { spawned, proxy, metrics } = await start()
    for (let n = 0; n < 6; n += 1) await get(proxy)
    await expect.poll(() => counted(metrics)).toBe(6)
    // Each of them has served three.
    const [victim] = await workers(spawned)
    process.kill(victim!, 'SIGKILL')
    await spawned.errMatching(new RegExp(`Worker ${victim} ended`))
    await expect.poll(() => counted(metrics)).toBe(6)
    for (let n = 0; n < 4; n += 1) await get(proxy)
    await expect.poll(() => counted(metrics)).toBe(10)
  })

  it('tells the metrics of the others and what it has told before while one hangs', async () => {
    const { spawned, proxy, metrics } = await start()
    for (let n = 0; n < 6; n += 1) await get(proxy)
    await expect.poll(() => counted(metrics)).toBe(6)
    const [hung] = await workers(spawned)
    process.kill(hung!, 'SIGSTOP')
    // Connections go to the workers in turn: the first or the second goes to the other one.
    const two = [1, 2].map(() => counted(metrics))
    try {
      expect(await Promise.any(two)).toBe(6)
    } finally {
      process.kill(hung!, 'SIGCONT')
      await Promise.all(two)
    }
  })

  it('kills a worker that does not end', async () => {
    const { spawned } = await start()
    const [hung] = await workers(spawned)
    process.kill(hung!, 'SIGSTOP')
    spawned.child.kill('SIGTERM')
    const { exitCode, err } = await spawned.ended
    expect(err).toContain(`Worker ${hung} did not end in time and is killed.`)
    expect(exitCode).toBe(1)
  })

  it('restarts all of them though one hangs', async () => {
    const { spawned, proxy } = await start()
    const before = await workers(spawned)
    const [hung] = before
    process.kill(hung!, 'SIGSTOP')
    spawned.child.kill('SIGUSR2')
    await spawned.errMatching(/is replaced by[^]*is replaced by/)
    await expect
      .poll(async () => [...(await workers(spawned))].filter((pid) => before.has(pid)), { timeout: 20_000 })
      .toEqual([])
    for (let n = 0; n < 4; n += 1) expect(await get(proxy)).toBe(200)
    spawned.child.kill('SIGTERM')
    expect((await spawned.ended).exitCode).toBe(0)
  })

  it('stops in order while a worker starts', async () => {
    const { spawned } = await start()
    const before = await workers(spawned)
    process.kill([...before][0]!, 'SIGKILL')
    await expect
      .poll(async () => [...(await workers(spawned))].filter((pid) => !before.has(pid)).length, { interval: 10 })
      .toBe(1)
    spawned.child.kill('SIGTERM')
    const { exitCode, err } = await spawned.ended
    expect(exitCode).toBe(0)
    expect(err.match(/another one starts/g)).toHaveLength(1)
  })

  it('stops in order before it has started', async () => {
    const config = writeGateway(newFolder(), { serve: serving })
    const spawned = spawnCli(['serve', '--workers', '2', '-c', config])
    await expect.poll(async () => (await workers(spawned)).size, { interval: 10 }).toBe(1)
    spawned.child.kill('SIGTERM')
    const { exitCode, err } = await spawned.ended
    expect(exitCode).toBe(0)
    expect(err).toBe('SIGTERM: finishing what is under way; once more to stop at once.\n')
  })

  it('restarts one worker after the other on SIGUSR2 without a failed request', async () => {
    const { spawned, proxy } = await start()
    const before = await workers(spawned)
    const statuses: number[] = []
    const enough = new AbortController()
    const traffic = (async () => {
      while (!enough.signal.aborted) statuses.push(await get(proxy))
    })()
    const keptAlive = (async () => {
      const client = await openClient(proxy)
      // The retiring worker says when it wants no further request on this connection.
      for (;;) {
        client.write('GET /hello HTTP/1.1\r\nHost: app.example\r\n\r\n')
        const response = await client.response()
        statuses.push(response.status)
        if (response.header('connection') === 'close') break
      }
      client.close()
    })()
    spawned.child.kill('SIGUSR2')
    await spawned.errMatching(/is replaced by[^]*is replaced by/)
    await keptAlive
    await expect
      .poll(async () => [...(await workers(spawned))].filter((pid) => before.has(pid)).length, { timeout: 20_000 })
      .toBe(0)
    enough.abort()
    await traffic
    expect(statuses.length).toBeGreaterThan(10)
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  it('keeps the old workers when a new one could not start', async () => {
    const { spawned, proxy, files } = await start()
    const before = await workers(spawned)
    files.write('config.json', '{')
    spawned.child.kill('SIGUSR2')
    await spawned.errMatching(/Not restarted: a new worker could not start\. The old ones go on\./)
    expect(await workers(spawned)).toEqual(before)
    expect(await get(proxy)).toBe(200)
  })

  it('reloads all of them on SIGHUP', async () => {
    const { spawned, proxy, files } = await start()
    files.write('rules.yaml', [])
    spawned.child.kill('SIGHUP')
    await expect
      .poll(async () => new Set([await get(proxy), await get(proxy), await get(proxy)]), { timeout: 20_000 })
      .toEqual(new Set([404]))
  })

  it('ends a session in all of them when one hears of it', async () => {
    const kratos = await createStandIn()
    atEnd(() => kratos.close())
    const token = 'a token for the tests'
    const session = {
      check_session_url: `${kratos.publicUrl}/sessions/whoami`,
      subject_from: 'identity.id',
      extra_from: '@this',
      cache: { ttl: '1h' },
    }
    const config = {
      serve: { ...serving, api: { ...free, admin: { token } } },
      authenticators: { cookie_session: { enabled: true, config: session } },
      kratos: { public_url: kratos.publicUrl },
    }
    const { proxy, api, metrics } = await start(config, 'cookie_session')
    const users = [kratos.signIn(kratos.alice), kratos.signIn(kratos.bob)] as const
    // Connections go to the workers in turn.
    const everywhere = async ({ cookie }: (typeof users)[number]): Promise<ReadonlySet<number>> =>
      new Set([await get(proxy, cookie), await get(proxy, cookie), await get(proxy, cookie), await get(proxy, cookie)])
    const calls = (): readonly (number | undefined)[] => users.map((user) => kratos.calls.get(user.token))
    for (const user of users) expect(await everywhere(user)).toEqual(new Set([200]))
    expect(calls()).toEqual([2, 2])
    const [alice, bob] = users
    alice.row.active = false
    expect(await everywhere(alice)).toEqual(new Set([200]))
    const headers = { Authorization: `Bearer ${token}` }
    const answer = await fetch(`http://127.0.0.1:${api}/admin/sessions/${alice.row.id}`, { method: 'DELETE', headers })
    expect(answer.status).toBe(204)
    await expect.poll(() => everywhere(alice), { timeout: 20_000 }).toEqual(new Set([401]))
    expect(await everywhere(bob)).toEqual(new Set([200]))
    expect(kratos.calls.get(bob.token)).toBe(2)
    // The refusals that follow are no news: each process has heard of the session once.
    const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    expect(page).toMatch(/session_revocations_total\{layer="admin_api",scope="session"\} 1\n/)
    expect(page).toMatch(/session_revocations_total\{layer="worker",scope="session"\} 1\n/)
    expect(page).not.toContain('layer="refused"')
  })

  it('says once what is wrong with the config', async () => {
    const config = newFolder().write('bad.yaml', 'log:\n  levl: info\n')
    const { exitCode, err } = await spawnCli(['serve', '--workers', '2', '-c', config]).ended
    expect(exitCode).toBe(1)
    expect(err.match(/Unknown key "levl"/g)).toHaveLength(1)
  })

  it('refuses a number of workers that is none', async () => {
    const { exitCode, err } = await spawnCli(['serve', '--workers', 'many']).ended
    expect(exitCode).toBe(2)
    expect(err).toContain('"auto" or a number from 1 to 128')
  })
})
