/** The example's triggers in a real PostgreSQL with tables as Kratos has them, and a gateway that listens to them. */
import type { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { text } from '../deploy/files.ts'
import { startDatabase, type Database } from '../support/postgrest.ts'
import { kratosTables } from './kratos_tables.ts'
import { arrange, timeUntil, type Arranged } from './support.ts'

const ALICE = '11111111-1111-4111-8111-111111111111'
const [FIRST, SECOND] = ['aaaaaaaa-1111-4111-8111-111111111111', 'aaaaaaaa-2222-4222-8222-222222222222']
const rows = `
  insert into identities (id, schema_id, traits) values ('${ALICE}', 'default', '{"email":"alice@example.org"}');
  insert into sessions (id, expires_at, identity_id, active, aal, authentication_methods) values
    ('${FIRST}', now() + '1 day', '${ALICE}', true, 'aal1', '[]'), ('${SECOND}', now() + '1 day', '${ALICE}', true, 'aal1', '[]');
  insert into identity_verifiable_addresses (id, status, via, verified, value, identity_id)
    values ('bbbbbbbb-1111-4111-8111-111111111111', 'sent', 'email', false, 'alice@example.org', '${ALICE}');
`

let database: Database
let admin: Client
let url: string

beforeAll(async () => {
  database = await startDatabase()
  admin = await database.postgres.connect()
  await admin.query(kratosTables)
  const triggers = text('examples/kratos-revocation/triggers.sql')
  await admin.query(triggers)
  await admin.query(triggers)
  // As the documentation says: a role that may connect and do nothing else.
  await admin.query(`create role mintkeeper login password 'only for the test'`)
  url = `postgres://mintkeeper:only%20for%20the%20test@127.0.0.1:${admin.port}/postgres`
}, 60_000)
afterAll(async () => {
  await admin.end()
  await database[Symbol.asyncDispose]()
})

describe('the triggers', () => {
  let listener: Client
  let heard: string[]

  beforeEach(async () => {
    await admin.query('delete from identities')
    await admin.query(rows)
    heard = []
    listener = await database.postgres.connect()
    listener.on('notification', ({ payload = '' }) => heard.push(payload))
    await listener.query('LISTEN mintkeeper_revocations')
    return () => listener.end()
  })

  const session = (id: string): string => `{"session" : "${id}"}`
  const identity = `{"identity" : "${ALICE}"}`

  it.each<[string, string, string[]]>([
    ['a logout', `update sessions set active = false where id = '${FIRST}'`, [session(FIRST)]],
    ['a session that is deleted', `delete from sessions where id = '${FIRST}'`, [session(FIRST)]],
    ['all sessions of a user', `update sessions set active = false`, [session(FIRST), session(SECOND)]],
    ['a shorter life', `update sessions set expires_at = now() where id = '${FIRST}'`, [identity]],
    ['a second factor', `update sessions set aal = 'aal2', authenticated_at = now() where id = '${FIRST}'`, [identity]],
    ['a longer life', `update sessions set expires_at = expires_at + '1 day', updated_at = now()`, []],
    ['a session that is touched', `update sessions set updated_at = now()`, []],
    ['a new session', `insert into sessions (id, expires_at, identity_id) values ('${ALICE}', now(), '${ALICE}')`, []],
    ['a blocked user', `update identities set state = 'inactive'`, [identity]],
    ['changed traits', `update identities set traits = '{"email":"a@example.org"}'`, [identity]],
    ['changed metadata', `update identities set metadata_public = '{"role":"admin"}'`, [identity]],
    ['a deleted user', `delete from identities`, [identity, session(FIRST), session(SECOND)]],
    ['a login', `update identities set available_aal = 'aal1', updated_at = now()`, []],
    [
      'a verified address',
      `update identity_verifiable_addresses set verified = true, status = 'completed'`,
      [identity],
    ],
    ['a message that was sent', `update identity_verifiable_addresses set status = 'sent', updated_at = now()`, []],
    ['emptied tables', `truncate sessions`, ['{"everything":true}']],
  ])('tell of %s: %s', async (_name, change, expected) => {
    await admin.query(change)
    // Notifications arrive in the order of commits: after this one all are there.
    await admin.query(`notify mintkeeper_revocations, 'end'`)
    await timeUntil(() => heard.includes('end'))
    expect(heard.slice(0, -1).toSorted()).toEqual(expected.toSorted())
  })
})

describe('a gateway that listens', () => {
  const notify = (payload: object | string): Promise<unknown> =>
    admin.query(`select pg_notify('mintkeeper_revocations', $1)`, [
      typeof payload === 'string' ? payload : JSON.stringify(payload),
    ])
  const listens = (test: Arranged): Promise<unknown> =>
    timeUntil(() => test.gateway.log.some((line) => line.includes('Revocations are heard of')))
  const listening = (mode = 'ask') =>
    arrange({ config: { revocation: { database: { url, while_disconnected: mode } } } })

  it('forgets what has ended', async () => {
    await using test = await listening()
    await listens(test)
    await test.letIn()
    const [alice] = test.users
    expect(await test.remembered()).toEqual([true, true, true])
    alice.row.active = false
    await notify({ session: alice.row.id })
    await timeUntil(async () => (await test.letIn())[0] === false)
    expect(await test.letIn()).toEqual([false, true, true])
    test.standIn.alice.state = 'inactive'
    await notify({ identity: test.standIn.alice.id })
    await timeUntil(async () => (await test.letIn())[1] === false)
    expect(await test.remembered()).toEqual([false, false, true])
  })

  it('believes nothing any more after a message that it does not understand', async () => {
    await using test = await listening()
    await listens(test)
    await test.letIn()
    await notify('something of the future')
    await timeUntil(() => test.gateway.log.filter((line) => line.includes('"everything":true')).length > 1)
    expect(await test.remembered()).toEqual([false, false, false])
  })

  it.each([
    ['ask', [false, false, false]],
    ['keep', [true, true, true]],
  ])('that is cut off goes on as `%s` says, and starts anew when it is back', async (mode, meanwhile) => {
    await using test = await listening(mode)
    await listens(test)
    await test.letIn()
    const [alice] = test.users
    alice.row.active = false
    await admin.query(`alter role mintkeeper nologin`)
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'mintkeeper'`)
    await timeUntil(() => test.gateway.log.some((line) => line.includes('the connection was lost')))
    const known = await test.remembered()
    // A session that is found ended meanwhile is never remembered.
    expect(known.slice(1)).toEqual(meanwhile.slice(1))
    await admin.query(`alter role mintkeeper login`)
    await timeUntil(async () => (await test.letIn())[0] === false)
    await timeUntil(async () => (await test.remembered())[2] === true)
    expect(test.gateway.log.join('')).not.toContain('only')
  })

  it('is served by Kratos alone until the database is there', async () => {
    await using test = await arrange({
      config: { revocation: { database: { url: 'postgres://nobody:secret-word@127.0.0.1:1/none' } } },
    })
    expect(await test.remembered()).toEqual([false, false, false])
    await timeUntil(() => test.gateway.log.some((line) => line.includes('there is no connection')))
    const metrics = await (await fetch(`${test.gateway.metrics}/metrics`)).text()
    expect(metrics).toContain('revocation_source_connected{layer="database"} 0')
    expect(test.gateway.log.join('')).not.toContain('secret-word')
  })
})
