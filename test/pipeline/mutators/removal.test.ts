/** Headers and cookies that an upstream does not get. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway } from '../../support/gateway.ts'
import { type Recorder, startRecorder } from '../../support/recorder.ts'
import { inboundOf } from '../../support/inbound.ts'
import { loadRule, ruleOf, statusOf } from '../scenario.ts'

let upstream: Recorder
beforeAll(async () => {
  upstream = await startRecorder()
})
afterAll(() => upstream.close())

const on = { enabled: true }
const base = {
  authenticators: { noop: on, anonymous: on },
  authorizers: { allow: on },
  mutators: { header: { ...on, config: { headers: {} } }, cookie: { ...on, config: { cookies: {} } } },
}

/** What the upstream gets of these request headers. */
async function sent(mutators: readonly object[], headers: Record<string, string>, config: object = {}) {
  const rule = {
    ...ruleOf({ authenticators: ['noop'], mutators: mutators as never }),
    upstream: { url: upstream.origin },
  }
  await using test = await startGateway({ config: { ...base, ...config }, rules: [rule] })
  expect(test.gateway.problems).toEqual([])
  upstream.reset()
  expect((await fetch(`${test.proxy}/x`, { headers })).status).toBe(200)
  const [request] = upstream.requests
  return (name: string): readonly string[] => request?.all(name) ?? []
}

const header = (config: object): object => ({ handler: 'header', config })
const cookie = (config: object): object => ({ handler: 'cookie', config })

describe('header', () => {
  it.each(['oathkeeper', 'secure'])('removes in any spelling and sets the rest (profile %s)', async (profile) => {
    const headers = {
      authorization: 'Basic eDp5',
      'x-internal': '1',
      ...(profile === 'oathkeeper' && { x_internal: '2' }),
      'x-kept': '3',
    }
    const values = await sent(
      [header({ remove: ['AUTHORIZATION', 'X-Internal'], headers: { 'X-Set': 'a' } })],
      headers,
      { profile },
    )
    expect(['authorization', 'x-internal', 'x_internal', 'x-kept', 'x-set'].map(values)).toEqual([
      [],
      [],
      [],
      ['3'],
      ['a'],
    ])
  })

  it('removes what earlier mutators set, and later ones set again', async () => {
    const steps = [
      header({ headers: { 'X-A': '1', 'X-B': '1' } }),
      header({ remove: ['x-a', 'x-b'] }),
      header({ headers: { 'X-B': '2' } }),
    ]
    const values = await sent(steps, { 'x-a': '0' })
    expect([values('x-a'), values('x-b')]).toEqual([[], ['2']])
  })

  it('removes headers that the gateway sets by itself', async () => {
    const values = await sent([header({ remove: ['X-Forwarded-For'] })], {}, { profile: 'secure' })
    expect([values('x-forwarded-for'), values('x-forwarded-host').length]).toEqual([[], 1])
  })

  it('owns what it removes: no rule of the gateway passes a client’s own copy on', async () => {
    const removing = {
      ...ruleOf({ mutators: [header({ remove: ['X-Tenant'] })] as never }, 'removing'),
      match: { url: '<.*>/a', methods: ['GET'] },
    }
    const other = {
      ...ruleOf({ mutators: [header({ headers: {} })] as never }, 'other'),
      match: { url: '<.*>/b', methods: ['GET'] },
      upstream: { url: upstream.origin },
    }
    await using test = await startGateway({ config: { ...base, profile: 'secure' }, rules: [removing, other] })
    upstream.reset()
    await fetch(`${test.proxy}/b`, { headers: { 'x-tenant': 'evil' } })
    expect(upstream.requests[0]?.all('x-tenant')).toEqual([])
  })
})

describe('cookie', () => {
  it('removes by exact name', async () => {
    const values = await sent([cookie({ remove: ['session'] })], { cookie: 'a=1; session=s; Session=t; session=u' })
    expect(values('cookie')).toEqual(['a=1; Session=t'])
  })

  it('sends no Cookie header when nothing is left', async () => {
    const values = await sent([cookie({ remove: ['session'] })], { cookie: 'session=s' })
    expect(values('cookie')).toEqual([])
  })

  it('does not bring back what an earlier mutator removed or replaced', async () => {
    const steps = [cookie({ remove: ['session'], cookies: { user: 'u' } }), cookie({ cookies: { theme: 'dark' } })]
    const values = await sent(steps, { cookie: 'session=s; user=forged; theme=light; a=1' })
    expect(values('cookie')).toEqual(['theme=dark; user=u; a=1'])
  })
})

describe.each([
  ['header', 'headers', 'X-A', 'x-a'],
  ['cookie', 'cookies', 'a', 'a'],
])('config of %s', (handler, key, name, same) => {
  const load = (config: object) => loadRule({ mutators: [handler] }, { mutators: { [handler]: { ...on, config } } })

  it.each([[{}], [{ remove: ['a b'] }], [{ remove: name }]])('refuses %j', async (config) => {
    await expect(load(config)).rejects.toThrow('config')
  })

  it('tells of a name that is both set and removed', async () => {
    await using test = await load({ [key]: { [name]: '1' }, remove: [same] })
    expect(test.gateway.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('both set and removed'),
    ])
    expect(statusOf(await test.gateway.decide(inboundOf('http://h/')))).toBe(500)
  })
})
