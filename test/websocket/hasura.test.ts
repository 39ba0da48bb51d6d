/**
 * What is known of Hasura's WebSockets, and what the gateway makes of it. No Hasura: a server that takes credentials from
 * where Hasura takes them, payload first, then the upgrade.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { HeaderEdit } from '../../src/pipeline/contract/headers.ts'
import { allow, startProxy, targetOf, type Harness } from '../proxy/harness.ts'

const file = new URL('../vectors/downstream.json', import.meta.url)
const cases = JSON.parse(readFileSync(file, 'utf8')) as { readonly id: string; readonly group: string }[]

/** What the server has understood at connection_init. */
interface Understood {
  readonly role: string | undefined
  readonly tokens: readonly string[]
}

let hasura: WebSocketServer
let proxy: Harness
let place: 'upgrade' | 'payload_headers'
let token: string
const understood: Understood[] = []

const jwt = (exp: number): string =>
  [{ alg: 'none' }, { sub: 'alice', exp }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.') + '.c2ln'

beforeAll(async () => {
  const handleProtocols = (offered: Set<string>): string | false => [...offered][0] ?? false
  hasura = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/v1/graphql', handleProtocols })
  await once(hasura, 'listening')
  hasura.on('connection', (socket, request: IncomingMessage) => {
    socket.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString()) as {
        readonly type: string
        readonly payload?: { readonly headers?: Readonly<Record<string, string>> }
      }
      if (type === 'start') socket.close(1012, 'Closing all websocket connections as the metadata has changed')
      if (type !== 'connection_init') return
      const lines = [
        ...Object.entries(payload?.headers ?? {}),
        ...Object.entries(request.headers as Record<string, string>),
      ]
      const all = (name: string): string[] =>
        lines.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value)
      understood.push({ role: all('x-hasura-role')[0], tokens: all('authorization') })
      socket.send(JSON.stringify({ type: 'connection_ack' }))
    })
  })
  proxy = await startProxy(() => {
    const edits: readonly HeaderEdit[] = [['authorization', `Bearer ${token}`]]
    const origin = `http://127.0.0.1:${(hasura.address() as AddressInfo).port}`
    const webSocket = { allowedOrigins: [], recheck: 0, maxMessage: 1_000_000, graphql: place } as const
    return allow(targetOf(origin, { webSocket }), { edits })
  })
})
afterAll(async () => {
  await proxy.close()
  hasura.close()
})

async function open(protocol: string, path = '/v1/graphql'): Promise<WebSocket> {
  const headers = { 'x-hasura-role': 'user', Authorization: 'Bearer A', Cookie: 'ory_kratos_session=s' }
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}${path}`, protocol, { headers })
  await once(socket, 'open')
  return socket
}

const hostile = {
  type: 'connection_init',
  payload: { headers: { 'x-hasura-role': 'admin', Authorization: 'Bearer B' } },
}

async function begin(protocol: string): Promise<WebSocket> {
  const socket = await open(protocol)
  socket.send(JSON.stringify(hostile))
  const [data] = (await once(socket, 'message')) as [Buffer]
  expect(JSON.parse(data.toString())).toEqual({ type: 'connection_ack' })
  return socket
}

const closeOf = async (socket: WebSocket): Promise<[number, string]> => {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return [code, reason.toString()]
}

/** By the identifier of each case; those that differ in nothing that the gateway has a hand in share one. */
const held: Readonly<Record<string, (protocol: string) => Promise<void>>> = {
  async 'ws-init-role-wins, ws-two-authorizations'(protocol) {
    const socket = await begin(protocol)
    expect(understood.at(-1)).toEqual({ role: undefined, tokens: [`Bearer ${token}`] })
    socket.terminate()
  },
  async 'ws-reinit-uses-payload-only'(protocol) {
    const socket = await begin(protocol)
    const before = understood.length
    const closed = closeOf(socket)
    socket.send(JSON.stringify(hostile))
    expect((await closed)[0]).toBe(4429)
    expect(understood).toHaveLength(before)
  },
  async 'ws-subscribe-before-init'(protocol) {
    const socket = await open(protocol)
    const closed = closeOf(socket)
    socket.send(JSON.stringify({ type: protocol === 'graphql-ws' ? 'start' : 'subscribe', id: '1' }))
    expect(await closed).toEqual([4401, 'Unauthorized'])
  },
  async 'ws-token-expiry'(protocol) {
    const exp = Math.ceil(Date.now() / 1000) + 1
    token = jwt(exp)
    expect(await closeOf(await begin(protocol))).toEqual([4403, 'token ended'])
    expect(Date.now()).toBeLessThan(exp * 1000)
  },
  async 'ws-paths'() {
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/other`)
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    expect(response.statusCode).toBe(400)
    socket.on('error', () => undefined)
    socket.terminate()
  },
  async 'ws-metadata-change'(protocol) {
    if (protocol !== 'graphql-ws') return
    const socket = await begin(protocol)
    const closed = closeOf(socket)
    socket.send(JSON.stringify({ type: 'start' }))
    expect(await closed).toEqual([1012, 'Closing all websocket connections as the metadata has changed'])
  },
}

/** What Hasura answers to a token or a message that it does not like passes as it is: close codes and messages are untouched. */
const relayed = ['ws-init-auth-failed-transport', 'ws-init-auth-failed-legacy']
/** Of clients, tried with the real ones; and of a cookie that no upstream gets. */
const elsewhere = ['ws-client-fatal-close-codes', 'ws-client-retryable-close-codes', 'ws-cookie-cors-disabled']

it('every case is held', () => {
  const ids = cases.filter(({ group }) => group === 'hasura_ws').map(({ id }) => id)
  const names = Object.keys(held).flatMap((name) => name.split(', '))
  expect([...names, ...relayed, ...elsewhere].sort()).toEqual(ids.sort())
})

it.each(
  Object.keys(held).flatMap((name) =>
    ['graphql-transport-ws', 'graphql-ws'].flatMap((protocol) =>
      (['upgrade', 'payload_headers'] as const).map((where) => [name, protocol, where] as const),
    ),
  ),
)('%s (%s, %s)', async (name, protocol, where) => {
  place = where
  token = jwt(4_000_000_000)
  await expect(held[name]!(protocol)).resolves.toBeUndefined()
})
