/** What operators and Kratos' hooks tell the API. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { networkCheck } from '../../src/api/bearer.ts'
import { loadGateway } from '../support/gateway.ts'
import { arrange, type Arranged } from './support.ts'

const TOKEN = 'the token of the operators'
const HOOK = 'the token of the hooks'

const arranged = (admin: object = { token: TOKEN }) =>
  arrange({ config: { serve: { api: { admin } }, revocation: { webhook: { token: HOOK } } } })

const remove = async ({ gateway }: Arranged, target: string, authorization = `Bearer ${TOKEN}`): Promise<Response> => {
  const response = await fetch(`${gateway.api}/admin/${target}`, {
    method: 'DELETE',
    headers: authorization === '' ? {} : { Authorization: authorization },
  })
  return response
}

const hook = async ({ gateway }: Arranged, body: unknown, authorization = `Bearer ${HOOK}`): Promise<number> => {
  const response = await fetch(`${gateway.api}/hooks/kratos`, {
    method: 'POST',
    headers: { Authorization: authorization, 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return response.status
}

describe('an operator', () => {
  it.each<[string, (test: Arranged) => string, readonly boolean[]]>([
    ['a session', ({ users: [alice] }) => `sessions/${alice.row.id}`, [false, true, true]],
    ['all of a user', ({ standIn }) => `identities/${standIn.alice.id}/sessions`, [false, false, true]],
    ['everything', () => 'sessions', [false, false, false]],
  ])('makes the gateway forget %s', async (_name, target, left) => {
    await using test = await arranged()
    const answer = await remove(test, target(test))
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    expect(await test.remembered()).toEqual(left)
    // Kratos was asked, and says that they go on.
    expect(await test.letIn()).toEqual([true, true, true])
    const line = test.gateway.log.find((text) => text.includes('Sessions revoked')) ?? ''
    expect(JSON.parse(line)).toMatchObject({ layer: 'admin_api' })
    expect(line).not.toContain(test.users[0].row.id)
  })

  it.each(['', 'Bearer wrong', `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN}x`, `Bearer ${HOOK}`])(
    'needs the token, which is not "%s"',
    async (authorization) => {
      await using test = await arranged()
      const answer = await remove(test, 'sessions', authorization)
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
      expect(await test.remembered()).toEqual([true, true, true])
    },
  )

  it('comes from a network that is allowed', async () => {
    await using test = await arranged({ token: TOKEN, allowed_networks: ['10.0.0.0/8', 'fd00::/8'] })
    expect((await remove(test, 'sessions')).status).toBe(403)
    expect(await test.remembered()).toEqual([true, true, true])
  })

  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['fe80::1%eth0', false],
    ['', false],
  ])('from %s is let in by default: %s', (address, expected) => {
    expect(networkCheck(['127.0.0.0/8', '::1/128'])(address)).toBe(expected)
  })

  it('cannot name what is no id', async () => {
    await using test = await arranged()
    expect((await remove(test, 'sessions/a%20b')).status).toBe(400)
    expect((await remove(test, `sessions/${'a'.repeat(129)}`)).status).toBe(400)
    expect((await remove(test, 'sessions/a/b')).status).toBe(404)
  })

  it('finds nothing where no token is configured', async () => {
    await using test = await arrange()
    for (const target of ['sessions', 'sessions/a', 'identities/a/sessions']) {
      expect((await remove(test, target)).status).toBe(404)
    }
    expect(await hook(test, { identity: 'a' })).toBe(404)
  })

  it('may keep the token in a file, which is read again with the config', async () => {
    await using test = await arrange()
    const file = path.join(test.gateway.directory, 'token')
    writeFileSync(file, `${TOKEN}\n`)
    await using other = await arranged({ token_file: file })
    expect((await remove(other, 'sessions')).status).toBe(204)
    writeFileSync(file, 'another token, just as long\n')
    await other.gateway.gateway.reload()
    expect((await remove(other, 'sessions')).status).toBe(401)
    expect((await remove(other, 'sessions', 'Bearer another token, just as long')).status).toBe(204)
  })

  it.each([
    ['that is not there', undefined, /cannot be read/],
    ['that is too short', 'short', /holds no token/],
  ])('cannot start a gateway with a token file %s', async (_name, content, message) => {
    await using test = await arrange()
    const file = path.join(test.gateway.directory, 'token')
    if (content !== undefined) writeFileSync(file, content)
    await expect(
      loadGateway({ config: { profile: 'secure', serve: { api: { admin: { token_file: file } } } } }),
    ).rejects.toMatchObject({
      problems: [expect.objectContaining({ message: expect.stringMatching(message) as string })],
    })
  })
})

describe("Kratos' hook", () => {
  it('ends the sessions of a user, or one', async () => {
    await using test = await arranged()
    const [alice] = test.users
    expect(await hook(test, { session: alice.row.id })).toBe(204)
    expect(await test.remembered()).toEqual([false, true, true])
    expect(await hook(test, { identity: test.standIn.alice.id, session: '00000000-0000-0000-0000-000000000000' })).toBe(
      204,
    )
    expect(await test.remembered()).toEqual([false, false, true])
  })

  it.each([
    '',
    'no JSON',
    '[]',
    '{}',
    '{"identity":null}',
    '{"identity":"00000000-0000-0000-0000-000000000000"}',
    `{"identity":"${'a'.repeat(20_000)}"}`,
  ])('says whose: %s', async (body) => {
    await using test = await arranged()
    expect(await hook(test, body)).toBe(400)
    expect(await test.remembered()).toEqual([true, true, true])
  })

  it('needs its own token', async () => {
    await using test = await arranged()
    expect(await hook(test, { identity: test.standIn.alice.id }, `Bearer ${TOKEN}`)).toBe(401)
    expect(await test.remembered()).toEqual([true, true, true])
  })
})
