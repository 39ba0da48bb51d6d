/** `upstream.tls` and `upstream.timeout`, of a rule and of the config, against real servers. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ruleOf } from '../pipeline/scenario.ts'
import { type Authority, createAuthority } from '../support/certificates.ts'
import { startGateway } from '../support/gateway.ts'
import { startServer } from '../support/http_server.ts'
import { startBare } from '../support/recorder.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-upstream-'))
let authority: Authority
let origin = ''
let closeServer: () => Promise<void>

beforeAll(async () => {
  authority = createAuthority(folder)
  const own = authority.issue('server', 'upstream')
  authority.issue('client', 'gateway')
  authority.issue('other', 'renewed')
  const trusted = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(authority.cert) }
  const material = { cert: readFileSync(own.cert), key: readFileSync(own.key) }
  const server = createServer({ ...material, ...trusted }, (request, response) => {
    response.end((request.socket as TLSSocket).getPeerCertificate().subject.CN)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  closeServer = () =>
    new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
})
afterAll(async () => {
  await closeServer()
  rmSync(folder, { recursive: true, force: true })
})

const on = { enabled: true }
const file = (name: string): object => ({ path: path.join(folder, name) })
const clientTls = (): object => ({ ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') })

const gatewayWith = (upstream: object, config: object = {}) =>
  startGateway({
    config: { authenticators: { anonymous: on }, authorizers: { allow: on }, mutators: { noop: on }, ...config },
    rules: [{ ...ruleOf({}), upstream }],
  })

describe('tls', () => {
  it('trusts the named authority and shows the named certificate', async () => {
    await using test = await gatewayWith({ url: origin, tls: clientTls() })
    expect(test.gateway.problems).toEqual([])
    const response = await fetch(`${test.proxy}/x`)
    expect([response.status, await response.text()]).toEqual([200, 'gateway'])
  })

  it('takes from the config what a rule does not say', async () => {
    const tls = { ca: file('ca.pem'), cert: file('other.pem'), key: file('other.key') }
    await using test = await gatewayWith(
      { url: origin, tls: { cert: file('client.pem'), key: file('client.key') } },
      { upstream: { tls } },
    )
    expect(await (await fetch(`${test.proxy}/x`)).text()).toBe('gateway')
  })

  it('does not reach an upstream whose authority it does not know, or that wants a certificate', async () => {
    await using strangers = await gatewayWith({ url: origin })
    await using nameless = await gatewayWith({ url: origin, tls: { ca: file('ca.pem') } })
    expect((await fetch(`${strangers.proxy}/x`)).status).toBe(502)
    expect((await fetch(`${nameless.proxy}/x`)).status).toBe(502)
  })

  it('keeps connections of different certificates apart', async () => {
    const other = { ...clientTls(), cert: file('other.pem'), key: file('other.key') }
    const rule = (id: string, tls: object): object => ({
      ...ruleOf({}, id),
      match: { url: `<.*>/${id}`, methods: ['GET'] },
      upstream: { url: origin, tls },
    })
    await using test = await startGateway({
      config: { authenticators: { anonymous: on }, authorizers: { allow: on }, mutators: { noop: on } },
      rules: [rule('a', clientTls()), rule('b', other)],
    })
    const names = []
    for (const id of ['a', 'b', 'a', 'b']) names.push(await (await fetch(`${test.proxy}/${id}`)).text())
    expect(names).toEqual(['gateway', 'renewed', 'gateway', 'renewed'])
  })

  it('follows files that are replaced, and keeps what was good while they do not fit together', async () => {
    for (const part of ['pem', 'key'])
      copyFileSync(path.join(folder, `client.${part}`), path.join(folder, `live.${part}`))
    await using test = await gatewayWith({
      url: origin,
      tls: { ca: file('ca.pem'), cert: file('live.pem'), key: file('live.key') },
    })
    const name = async (): Promise<string> => (await fetch(`${test.proxy}/x`)).text()
    expect(await name()).toBe('gateway')
    copyFileSync(path.join(folder, 'other.pem'), path.join(folder, 'live.pem'))
    const { problems, files } = await test.gateway.reload()
    expect(files).toContain(path.join(folder, 'live.pem'))
    expect(problems.map(({ severity, message }) => [severity, message])).toEqual([
      ['warning', expect.stringContaining('is not the private key of the certificate')],
    ])
    expect(await name()).toBe('gateway')
    copyFileSync(path.join(folder, 'other.key'), path.join(folder, 'live.key'))
    expect((await test.gateway.reload()).problems).toEqual([])
    expect(await name()).toBe('renewed')
  })

  it.each([
    ['ca', { ca: file('none.pem') }, 'does not exist'],
    ['ca', { ca: file('junk.pem') }, 'holds no certificate'],
    ['key', { cert: file('client.pem'), key: file('junk.pem') }, 'holds no private key'],
    ['key', { cert: file('client.pem'), key: file('other.key') }, 'is not the private key'],
    ['tls', { cert: file('client.pem') }, 'must have both a key and a certificate'],
  ])('a wrong %s is told at its place, and the upstream is not reached without it', async (key, tls, message) => {
    writeFileSync(path.join(folder, 'junk.pem'), 'junk')
    await using test = await gatewayWith({ url: origin, tls })
    expect(test.gateway.problems).toEqual([
      expect.objectContaining({ severity: 'error', message: expect.stringContaining(message) as string }),
    ])
    const [problem] = test.gateway.problems
    expect(typeof problem?.place === 'object' && problem.place.text).toContain(key === 'tls' ? '"tls"' : '"path"')
    expect((await fetch(`${test.proxy}/x`)).status).toBe(500)
  })

  it('refuses to start with the profile secure', async () => {
    await expect(gatewayWith({ url: origin, tls: { ca: file('none.pem') } }, { profile: 'secure' })).rejects.toThrow(
      'none.pem',
    )
  })

  it('is warned of where the upstream is spoken to without TLS', async () => {
    await using test = await gatewayWith({ url: 'http://127.0.0.1:9', tls: { ca: file('ca.pem') } })
    expect(test.gateway.problems).toEqual([expect.objectContaining({ severity: 'warning' })])
  })
})

describe('timeout', () => {
  it.each([
    ['of the rule', { timeout: { response: '50ms' } }, {}],
    ['of the config', {}, { upstream: { timeout: { response: '50ms' } } }],
    [
      'of the rule over the config',
      { timeout: { response: '50ms' } },
      { upstream: { timeout: { response: '1h', idle: '1h' } } },
    ],
  ])('response, %s', async (_, upstream, config) => {
    await using slow = await startServer(() => undefined)
    await using test = await gatewayWith({ url: slow.url, ...upstream }, config)
    expect((await fetch(`${test.proxy}/x`)).status).toBe(504)
  })

  it('idle cuts a response that stands still', async () => {
    await using slow = await startServer((_request, response) => response.write('a'))
    await using test = await gatewayWith({ url: slow.url, timeout: { idle: '50ms' } })
    const response = await fetch(`${test.proxy}/x`)
    await expect(response.text()).rejects.toThrow('terminated')
  })

  it('connect ends a handshake that does not end', async () => {
    const silent = await startBare((socket) => socket.resume())
    try {
      await using test = await gatewayWith({
        url: silent.origin.replace('http:', 'https:'),
        timeout: { connect: '50ms' },
      })
      expect((await fetch(`${test.proxy}/x`)).status).toBe(502)
    } finally {
      await silent.close()
    }
  })

  it('makes a rule invalid that says something else than a duration', async () => {
    await using test = await gatewayWith({ url: 'http://127.0.0.1:9', timeout: { connect: 5 } })
    expect(test.gateway.problems).toEqual([expect.objectContaining({ severity: 'error' })])
  })
})

describe('limits', () => {
  it.each([
    [
      'of the rule, over those of the config',
      { limits: { connections: 1, waiting: 0 } },
      { upstream: { limits: { waiting: 9 } } },
    ],
    ['of the config', {}, { upstream: { limits: { connections: 1, waiting: 0 } } }],
  ])('%s, refuse at once what is too much', async (_, upstream, config) => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let begun = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      begun = resolve
    })
    await using slow = await startServer((_request, response) => {
      begun()
      void held.then(() => response.end('done'))
    })
    await using test = await gatewayWith({ url: slow.url, ...upstream }, config)
    const first = fetch(`${test.proxy}/x`)
    await asked
    const second = await fetch(`${test.proxy}/x`)
    expect(second.status).toBe(503)
    expect(second.headers.get('retry-after')).toBe('1')
    release()
    expect(await (await first).text()).toBe('done')
    expect((await fetch(`${test.proxy}/x`)).status).toBe(200)
  })

  it('end the wait for a connection', async () => {
    let answer = (): void => undefined
    await using slow = await startServer((_request, response) => {
      answer = () => response.end('done')
    })
    await using test = await gatewayWith({ url: slow.url, limits: { connections: 1, wait: '50ms' } })
    const requests = [fetch(`${test.proxy}/x`), fetch(`${test.proxy}/x`)]
    const refused = await Promise.race(requests)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    answer()
    const statuses = await Promise.all(requests.map(async (request) => (await request).status))
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 503])
  })
})

it('the rules API shows settings as they were written', async () => {
  const settings = { tls: clientTls(), timeout: { connect: '1s' } }
  await using test = await gatewayWith({ url: origin, ...settings })
  const [rule] = (await (await fetch(`${test.api}/rules`)).json()) as { upstream: object }[]
  expect(rule?.upstream).toMatchObject({ timeout: settings.timeout })
})
