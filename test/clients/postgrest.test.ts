/** Supabase's client and a real PostgREST: each request through the gateway, and without it. */
import { PostgrestClient } from '@supabase/postgrest-js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startStack, type Stack } from './stack.ts'

let stack: Stack
let client: PostgrestClient
/** The same questions without the gateway, with the token that it would have sent. */
let direct: PostgrestClient

beforeAll(async () => {
  stack = await startStack()
  const { kratos, gateway, direct: origins } = stack
  const { token } = kratos.signIn(kratos.alice)
  client = new PostgrestClient(`${gateway.proxy}/postgrest`, { headers: { Authorization: `Bearer ${token}` } })
  const decision = await fetch(`${gateway.api}/decisions/postgrest`, {
    headers: { Authorization: `Bearer ${token}`, 'X-Forwarded-Host': gateway.proxy.replace('http://', '') },
  })
  const minted = decision.headers.get('authorization') ?? ''
  direct = new PostgrestClient(origins.postgrest, { headers: { Authorization: minted } })
}, 90_000)
afterAll(() => stack[Symbol.asyncDispose]())

type Ask = (asked: PostgrestClient) => PromiseLike<{
  readonly data: unknown
  readonly error: unknown
  readonly count: number | null
  readonly status: number
}>

async function answerOf(asked: PostgrestClient, ask: Ask): Promise<object> {
  const { data, error, count, status } = await ask(asked)
  return { data, error, count, status }
}

describe('questions that change nothing have the same answers', () => {
  it.each<[string, number, Ask]>([
    ['a selection', 200, (asked) => asked.from('notes').select('text, owner').order('id')],
    ['a filter', 200, (asked) => asked.from('notes').select('text').like('text', 't%').neq('text', 'two')],
    [
      'a range with an exact count',
      206,
      (asked) => asked.from('notes').select('text', { count: 'exact' }).order('id').range(1, 1),
    ],
    ['a count alone (HEAD)', 200, (asked) => asked.from('notes').select('*', { count: 'exact', head: true })],
    ['a single object', 200, (asked) => asked.from('notes').select('text').eq('text', 'one').single()],
    ['a single object of none', 406, (asked) => asked.from('notes').select('text').eq('text', 'none').single()],
    ['a range beyond the end', 416, (asked) => asked.from('notes').select('text', { count: 'exact' }).range(100, 200)],
    ['CSV', 200, (asked) => asked.from('notes').select('text').order('id').csv()],
    ['a function', 200, (asked) => asked.rpc('count_notes')],
    ['a function by GET', 200, (asked) => asked.rpc('count_notes', {}, { get: true })],
    ['an unknown table', 404, (asked) => asked.from('nothing').select()],
    ['an unknown column', 400, (asked) => asked.from('notes').select('nothing')],
    ['a schema that is not shown', 406, (asked) => asked.schema('private').from('notes').select()],
  ])('%s', async (_name, status, ask) => {
    const through = await answerOf(client, ask)
    expect(through).toMatchObject({ status })
    expect(through).toEqual(await answerOf(direct, ask))
  })
})

describe('changes', () => {
  it('are made, told as they were asked for, and undone', async () => {
    const added = await client
      .from('notes')
      .insert([{ text: 'x' }, { text: 'y' }])
      .select('text, owner')
    expect(added).toMatchObject({
      status: 201,
      data: [
        { text: 'x', owner: stack.kratos.alice.id },
        { text: 'y', owner: stack.kratos.alice.id },
      ],
    })
    expect(await client.from('notes').insert({ text: 'z' })).toMatchObject({ status: 201, data: null, error: null })
    expect(
      await client.from('notes').update({ text: 'Größe 漢字' }).eq('text', 'x').select('text').single(),
    ).toMatchObject({
      status: 200,
      data: { text: 'Größe 漢字' },
    })
    expect(await client.from('notes').delete({ count: 'exact' }).in('text', ['Größe 漢字', 'y', 'z'])).toMatchObject({
      status: 204,
      count: 3,
    })
    expect((await direct.from('notes').select('text').order('id')).data).toEqual(
      ['one', 'two', 'three'].map((text) => ({ text })),
    )
  })

  it('merge with what is there (upsert), with what Prefer says', async () => {
    const owner = stack.kratos.alice.id
    const rows = [
      { owner, text: 'one' },
      { owner, text: 'four' },
    ]
    const merged = await client.from('notes').upsert(rows, { onConflict: 'owner,text', count: 'exact' }).select('text')
    expect(merged).toMatchObject({ error: null, data: [{ text: 'one' }, { text: 'four' }], count: 2 })
    const ignored = await client
      .from('notes')
      .upsert(rows, { onConflict: 'owner,text', ignoreDuplicates: true })
      .select('text')
    expect(ignored).toMatchObject({ error: null, data: [] })
    expect((await client.from('notes').delete().eq('text', 'four').select('text')).data).toEqual([{ text: 'four' }])
  })

  it('of others are not there to be made', async () => {
    expect(await client.from('notes').update({ text: 'mine' }).eq('text', 'b').select()).toMatchObject({ data: [] })
    const { status, error } = await client.from('notes').insert({ text: 'b', owner: stack.kratos.bob.id })
    expect([status, error?.code]).toEqual([403, '42501'])
  })
})

it('the headers that the client reads arrive as they were sent', async () => {
  const { kratos, gateway } = stack
  const { token } = kratos.signIn(kratos.alice)
  const answer = (headers: Record<string, string>, init: RequestInit = {}): Promise<Response> =>
    fetch(`${gateway.proxy}/postgrest/notes?select=text&order=id`, {
      ...init,
      headers: { Authorization: `Bearer ${token}`, ...headers },
    })
  const ranged = await answer({ Range: '0-0', 'Range-Unit': 'items', Prefer: 'count=exact' })
  expect(ranged.status).toBe(206)
  expect(ranged.headers.get('content-range')).toBe('0-0/3')
  expect(await ranged.json()).toEqual([{ text: 'one' }])
  const head = await answer({ Prefer: 'count=exact' }, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-range')]).toEqual([200, '0-2/3'])
  const options = await answer({}, { method: 'OPTIONS' })
  expect(options.headers.get('allow')).toContain('POST')
})
