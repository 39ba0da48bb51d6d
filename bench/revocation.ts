/**
 * How long it takes from the moment at which a session has ended to the first request that is refused, by every way in which a
 * gateway hears of it. Run it with `node bench/revocation.ts`; it needs redis-server. Everything is on 127.0.0.1.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { SignedIn } from '../demo/stand-in/server.ts'
import { spawnCli } from '../test/cli/run.ts'
import { kratosTables } from '../test/revocation/kratos_tables.ts'
import { arrange, type Arranged } from '../test/revocation/support.ts'
import { startDatabase } from '../test/support/postgrest.ts'
import { startRedis } from '../test/support/redis.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } })
const rounds = Number(values.rounds)

const ADMIN = 'the token of the operators'
const HOOK = 'the token of the hooks'
const INTERVAL = 1000

interface Layer {
  readonly name: string
  /** Whose requests are refused. */
  readonly gateway: { readonly proxy: string }
  /** Ends the session and resolves when that is so. */
  readonly end: (session: SignedIn) => Promise<unknown>
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const ask = async (gateway: { readonly proxy: string }, { cookie }: SignedIn): Promise<number> => {
  const response = await fetch(`${gateway.proxy}/`, { headers: { Cookie: cookie } })
  await response.text()
  return response.status
}

/** Milliseconds, of one session that the gateway remembers. */
const sample = async ({ standIn }: Arranged, { gateway, end }: Layer): Promise<number> => {
  const session = standIn.signIn(standIn.alice)
  await ask(gateway, session)
  const before = standIn.calls.get(session.token)
  if ((await ask(gateway, session)) !== 200 || standIn.calls.get(session.token) !== before) {
    throw new Error('the session is not remembered')
  }
  await end(session)
  const ended = performance.now()
  while ((await ask(gateway, session)) === 200) {
    if (performance.now() - ended > 10_000) throw new Error('the session is never refused')
  }
  return performance.now() - ended
}

const quantile = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1)

const send = async (url: string, method: string, headers: Record<string, string>, body?: object): Promise<void> => {
  const response = await fetch(url, {
    method,
    headers,
    redirect: 'manual',
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  await response.text()
  if (response.status >= 400) throw new Error(`${method} ${new URL(url).pathname}: ${response.status}`)
}

await using redis = await startRedis()
await using database = await startDatabase()
const sql = await database.postgres.connect()
await sql.query(kratosTables)
await sql.query(await readFile(path.join(import.meta.dirname, '../examples/kratos-revocation/triggers.sql'), 'utf8'))
await sql.query(`create role mintkeeper login password 'measured'`)
const url = `postgres://mintkeeper:measured@127.0.0.1:${sql.port}/postgres`

const serve = { api: { admin: { token: ADMIN } } }
const shared = { redis: { url: redis.url }, webhook: { token: HOOK }, database: { url } }
await using test = await arrange({ config: { serve, revocation: shared } })
await using patient = await arrange({
  config: { revocation: { observe: false, revalidation: { interval: `${INTERVAL}ms` } } },
})
const other = spawnCli(['serve', '-c', path.join(test.gateway.directory, 'config.json')])
const [, proxy = ''] = await other.errMatching(/proxy {4}(http:\S+)/)
const second = { proxy }

const kill = (session: SignedIn): void => {
  session.row.active = false
}
const remove = (session: SignedIn): Promise<void> => {
  kill(session)
  return send(`${test.gateway.api}/admin/sessions/${session.row.id}`, 'DELETE', { Authorization: `Bearer ${ADMIN}` })
}
const logout = ({ row, cookie }: SignedIn): Promise<void> =>
  send(`${test.publicUrl}/self-service/logout?token=${row.logoutToken}`, 'GET', { Cookie: cookie })
const { alice } = test.standIn
await sql.query(`insert into identities (id, schema_id, traits) values ($1, 'default', '{}')`, [alice.id])

const layers: readonly (Layer & { readonly test?: Arranged })[] = [
  { name: 'observed: logout through the gateway', gateway: test.gateway, end: logout },
  {
    name: "observed: Kratos' admin API through the gateway",
    gateway: test.gateway,
    end: ({ row }) => send(`${test.adminUrl}/admin/sessions/${row.id}`, 'DELETE', {}),
  },
  { name: 'admin_api', gateway: test.gateway, end: remove },
  {
    name: 'webhook',
    gateway: test.gateway,
    end(session) {
      kill(session)
      return send(
        `${test.gateway.api}/hooks/kratos`,
        'POST',
        { Authorization: `Bearer ${HOOK}` },
        { identity: alice.id },
      )
    },
  },
  {
    name: 'database: from the commit',
    gateway: test.gateway,
    async end(session) {
      await sql.query(
        `insert into sessions (id, expires_at, identity_id, active) values ($1, now() + '1 day', $2, true)`,
        [session.row.id, alice.id],
      )
      kill(session)
      await sql.query('update sessions set active = false where id = $1', [session.row.id])
    },
  },
  { name: 'redis: logout through one process, refused by another', gateway: second, end: logout },
  { name: 'redis: admin_api of one process, refused by another', gateway: second, end: remove },
  {
    name: `revalidation every ${INTERVAL} ms`,
    gateway: patient.gateway,
    test: patient,
    async end(session) {
      kill(session)
    },
  },
]

try {
  // The second process has heard of the first ones' revocations once it remembers.
  const probe = test.standIn.signIn(alice)
  for (let before = -1; test.standIn.calls.get(probe.token) !== before;) {
    before = test.standIn.calls.get(probe.token) ?? 0
    await ask(second, probe)
  }
  say('| layer | median ms | longest ms |\n| --- | --: | --: |')
  for (const layer of layers) {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(await sample(layer.test ?? test, layer))
    times.sort((left, right) => left - right)
    say(`| ${layer.name} | ${quantile(times, 0.5)} | ${quantile(times, 1)} |`)
  }
} finally {
  other.child.kill('SIGTERM')
  await other.ended
  await sql.end()
}
