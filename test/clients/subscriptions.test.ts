/** The clients of both GraphQL protocols, a real PostGraphile and PostgreSQL, and the gateway between them. */
import { once } from 'node:events'
import { createClient, type Client } from 'graphql-ws'
import { SubscriptionClient } from 'subscriptions-transport-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { startStack, type Stack } from './stack.ts'

let stack: Stack

beforeAll(async () => {
  stack = await startStack()
}, 90_000)
afterAll(() => stack[Symbol.asyncDispose]())

const url = (rule: string): string => `${stack.gateway.proxy.replace('http', 'ws')}/${rule}/graphql`

/** A WebSocket that sends headers with its handshake, as native clients and, with cookies, browsers do. */
function withHeaders(headers: Record<string, string>): typeof WebSocket {
  return class extends WebSocket {
    constructor(address: string, protocols: string | string[]) {
      super(address, protocols, { headers })
    }
  } as typeof WebSocket
}

const own = '{ allNotes(orderBy: ID_ASC) { nodes { text } } }'
const textsOf = (result: unknown): string[] =>
  (result as { data: { allNotes: { nodes: { text: string }[] } } }).data.allNotes.nodes.map(({ text }) => text)

const add = (text: string): string => `mutation { createNote(input: { note: { text: "${text}" } }) { note { text } } }`

/**
 * Tells of notes until somebody has heard of one: when a subscription is in place is not said, and what an earlier test told may
 * come late. In front of the note stands as whom the server knows the listener.
 */
async function heardBy(told: Promise<unknown>): Promise<unknown> {
  let heard: unknown
  const listen = async (): Promise<void> => {
    heard = await told
  }
  void listen()
  await expect
    .poll(async () => {
      await stack.admin.query(`select pg_notify('notes', 'news')`)
      return heard
    })
    .toBeDefined()
  return heard
}

async function ask(client: Client, query: string): Promise<unknown> {
  for await (const result of client.iterate({ query })) return result
  return undefined
}

describe.each(['upgrade', 'payload'])('graphql-ws, with credentials in the %s', (rule) => {
  const clientOf = (headers: Record<string, string>, connectionParams?: Record<string, unknown>): Client =>
    createClient({
      url: url(rule),
      webSocketImpl: withHeaders(headers),
      retryAttempts: 0,
      ...(connectionParams !== undefined && { connectionParams }),
    })

  it('asks, changes and subscribes as the user of the session', async () => {
    const { kratos } = stack
    const client = clientOf({ Cookie: kratos.signIn(kratos.alice).cookie })
    expect(textsOf(await ask(client, own))).toContain('one')
    const subscription = client.iterate({ query: 'subscription { noteAdded }' })
    const told = subscription.next()
    expect(await ask(client, add(`by ${rule}`))).toEqual({ data: { createNote: { note: { text: `by ${rule}` } } } })
    expect(await heardBy(told)).toEqual({
      done: false,
      value: { data: { noteAdded: expect.stringMatching(`^${kratos.alice.id}: `) } },
    })
    await subscription.return?.()
    await client.dispose()
  })

  it('is nobody else, whatever it says of itself', async () => {
    const { kratos } = stack
    const alice = kratos.signIn(kratos.alice)
    const bob = clientOf(
      { Authorization: `Bearer ${kratos.signIn(kratos.bob).token}` },
      { Authorization: `Bearer ${alice.token}`, authorization: 'Bearer x', headers: { Authorization: 'Bearer x' } },
    )
    expect(textsOf(await ask(bob, own))).toEqual(['b'])
    await bob.dispose()
  })

  it('without a session is told so before anything is upgraded', async () => {
    const socket = new WebSocket(url(rule), 'graphql-transport-ws')
    socket.on('error', () => undefined)
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
    expect(response.statusCode).toBe(401)
    socket.terminate()
  })
})

describe('graphql-ws', () => {
  it('stays away when the session has ended', async () => {
    const { kratos } = stack
    const { token } = kratos.signIn(kratos.alice)
    let connections = 0
    const client = createClient({
      url: url('upgrade'),
      webSocketImpl: withHeaders({ Authorization: `Bearer ${token}` }),
      retryAttempts: 5,
      on: { connected: () => connections++ },
    })
    const ended = new Promise<unknown>((resolve) => {
      client.on('closed', resolve)
    })
    const subscription = client.iterate({ query: 'subscription { noteAdded }' })
    const told = subscription.next()
    await ask(client, own)
    await fetch(`${kratos.publicUrl}/self-service/logout/api`, {
      method: 'DELETE',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ session_token: token }),
    })
    expect(await ended).toMatchObject({ code: 4401, reason: 'session ended' })
    await expect(told).rejects.toMatchObject({ code: 4401 })
    expect(connections).toBe(1)
    await client.dispose()
  })
})

describe.each(['upgrade', 'payload'])('subscriptions-transport-ws, with credentials in the %s', (rule) => {
  it('asks, changes and subscribes as the user of the session', async () => {
    const { kratos } = stack
    const client = new SubscriptionClient(
      url(rule),
      { connectionParams: { authorization: 'Bearer x', headers: { authorization: 'Bearer y' } } },
      withHeaders({ Authorization: `Bearer ${kratos.signIn(kratos.bob).token}` }),
    )
    const results = (query: string): { readonly first: Promise<unknown>; readonly stop: () => void } => {
      let stop: () => void = () => undefined
      const first = new Promise((resolve, reject) => {
        ;({ unsubscribe: stop } = client.request({ query }).subscribe({ next: resolve, error: reject }))
      })
      return { first, stop }
    }
    const told = results('subscription { noteAdded }')
    expect(textsOf(await results(own).first)).toContain('b')
    expect(await results(add(`older, by ${rule}`)).first).toMatchObject({ data: { createNote: {} } })
    expect(await heardBy(told.first)).toEqual({
      data: { noteAdded: expect.stringMatching(`^${kratos.bob.id}: `) },
    })
    told.stop()
    client.close()
  })
})
