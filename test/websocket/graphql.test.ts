import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HeaderEdit } from '../../src/pipeline/contract/headers.ts'
import type { JsonObject } from '../../src/pipeline/contract/values.ts'
import { rebuildInit } from '../../src/proxy/graphql_ws/connection_init.ts'
import { GraphqlGate } from '../../src/proxy/graphql_ws/gate.ts'
import { chosenProtocol, knownProtocols } from '../../src/proxy/graphql_ws/protocols.ts'

const edits: readonly HeaderEdit[] = [
  ['authorization', 'Bearer minted'],
  ['X-User', 'alice'],
  ['X-Gone', null],
]

const rebuilt = (payload: JsonObject | undefined, place: 'upgrade' | 'payload' | 'payload_headers'): JsonObject =>
  JSON.parse(rebuildInit(payload, edits, place) ?? '{}') as JsonObject

const hostile = {
  Authorization: 'Bearer client',
  'x-hasura-role': 'admin',
  X_Hasura_User_Id: '1',
  authToken: 'client',
  'X-Auth-Token': 'client',
  x_access_token: 'client',
  'x-user': 'bob',
  lang: 'de',
  headers: {
    authorization: 'Bearer client',
    ' Authorization ': 'Bearer client',
    COOKIE: 'ory_kratos_session=other',
    'X-Hasura-Admin-Secret': 'guess',
    'x-forwarded-for': '1.2.3.4',
    'X-Real-IP': '1.2.3.4',
    'x-gone': '1',
    'x-client': 'web',
    nested: [{ 'x-hasura-role': 'admin', deep: 1 }],
  },
}
const harmless = { lang: 'de', headers: { 'x-client': 'web', nested: [{ deep: 1 }] } }

describe('connection_init', () => {
  it('loses whatever could be taken for a credential', () => {
    expect(rebuilt(hostile, 'upgrade')).toEqual({ type: 'connection_init', payload: harmless })
    expect(rebuilt(undefined, 'upgrade')).toEqual({ type: 'connection_init' })
  })

  it('says who the client is where PostGraphile and Apollo read it', () => {
    const said = { Authorization: 'Bearer minted', 'X-User': 'alice' }
    expect(rebuilt(hostile, 'payload')).toEqual({ type: 'connection_init', payload: { ...harmless, ...said } })
    expect(rebuilt(undefined, 'payload')).toEqual({ type: 'connection_init', payload: said })
    expect(JSON.parse(rebuildInit('text', edits, 'payload') ?? '')).toEqual({ type: 'connection_init', payload: said })
  })

  it('says it where Hasura reads it', () => {
    const said = { Authorization: 'Bearer minted', 'X-User': 'alice' }
    const { headers } = harmless
    expect(rebuilt(hostile, 'payload_headers')).toEqual({
      type: 'connection_init',
      payload: { lang: 'de', headers: { ...headers, ...said } },
    })
    expect(rebuilt({ headers: 'x' }, 'payload_headers')).toEqual({
      type: 'connection_init',
      payload: { headers: said },
    })
  })

  it('has no prototype to set', () => {
    expect(rebuildInit(JSON.parse('{"__proto__":{"Authorization":"x"},"a":1}') as JsonObject, [], 'upgrade')).toBe(
      '{"type":"connection_init","payload":{"a":1}}',
    )
  })

  it('never holds a credential of the client, whatever its payload looks like', () => {
    const spelling = fc
      .tuple(
        fc.constantFrom(
          'authorization',
          'cookie',
          'x-hasura-role',
          'x_hasura-user-id',
          'x-session-token',
          'access_token',
        ),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
      )
      .map(([name, upper]) =>
        Array.from(name, (letter, i) => (upper[i] === true ? letter.toUpperCase() : letter)).join(''),
      )
    const payload = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constant('SECRET'),
        fc.nat(9),
        tie('object'),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
      object: fc.dictionary(fc.oneof(spelling, fc.constantFrom('headers', 'http')), tie('value'), { maxKeys: 4 }),
    })).object
    // Only what stands under a harmless name is left, and then it is no member of a guarded one.
    const guarded = /authorization|cookie|hasura|session-?token|access_?token/i
    fc.assert(
      fc.property(payload, (value) => {
        const names: string[] = []
        JSON.parse(rebuildInit(value as JsonObject, [], 'upgrade') ?? '{}', (name: string, item: unknown) => {
          names.push(name)
          return item
        })
        expect(names.filter((name) => guarded.test(name))).toEqual([])
      }),
    )
  })
})

describe('a GraphQL client', () => {
  const gate = (name: string | undefined = 'graphql-transport-ws'): GraphqlGate =>
    new GraphqlGate(chosenProtocol(name)!, [], 'upgrade')
  /** A gate that connection_init has passed. */
  const begun = (name?: string): GraphqlGate => {
    const one = gate(name)
    one.pass('{"type":"connection_init"}')
    return one
  }

  it('may say what its protocol has, and it passes as it was said', () => {
    const said = '{ "id": "1", "type": "subscribe", "payload": {"variables": {"n": 12345678901234567890}}}'
    expect(begun().pass(said)).toBe(said)
    expect(begun('graphql-ws').pass('{"type":"start","id":"1"}')).toBe('{"type":"start","id":"1"}')
    const unnamed = new GraphqlGate(chosenProtocol(undefined)!, [], 'upgrade')
    unnamed.pass('{"type":"connection_init"}')
    expect(unnamed.pass('{"type":"start","id":"1"}')).toBe('{"type":"start","id":"1"}')
  })

  it.each([
    ['graphql-transport-ws', 'ping'],
    ['graphql-transport-ws', 'pong'],
    ['graphql-ws', 'connection_terminate'],
  ])('of %s may say %s before it has begun', (name, type) => {
    const said = JSON.stringify({ type })
    expect(gate(name).pass(said)).toBe(said)
  })

  it.each([
    ['graphql-transport-ws', 'subscribe'],
    ['graphql-transport-ws', 'complete'],
    ['graphql-ws', 'start'],
    ['graphql-ws', 'stop'],
  ])('of %s may not say %s before it has begun, wherever the gateway says who it is', (name, type) => {
    for (const place of ['upgrade', 'payload', 'payload_headers'] as const) {
      const one = new GraphqlGate(chosenProtocol(name)!, edits, place)
      expect(one.pass(JSON.stringify({ id: '1', type, payload: { query: '{a}' } }))).toEqual({
        code: 4401,
        reason: 'Unauthorized',
      })
      expect(one.isInitialised).toBe(false)
    }
  })

  it.each([
    ['a second type', '{"type":"ping","type":"connection_init"}'],
    ['a second type, escaped', '{"type":"ping","t\\u0079pe":"connection_init"}'],
    ['a type in other letters', '{"Type":"connection_init"}'],
    ['two types that only some tell apart', '{"type":"ping","TYPE":"connection_init"}'],
    ['the type of another protocol', '{"type":"start"}'],
    ['the type of an old draft', '{"type":"init","payload":{"Authorization":"x"}}'],
    ['a type that is none', '{"type":["connection_init"]}'],
    ['no type', '{"payload":{"type":"ping"}}'],
    ['a list', '[{"type":"connection_init"}]'],
    ['null', 'null'],
    ['no JSON', 'connection_init'],
  ])('may not say %s', (_name, said) => {
    expect(gate().pass(said)).toMatchObject({ code: 4400 })
  })

  it('begins once', () => {
    const one = gate()
    expect(one.isInitialised).toBe(false)
    expect(one.pass('{"type":"connection_init"}')).toBe('{"type":"connection_init"}')
    expect(one.isInitialised).toBe(true)
    expect(one.pass('{"type":"connection_init"}')).toMatchObject({ code: 4429 })
  })

  it('finds a type among any other members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(5), (members, where) => {
        const entries = Object.entries(members).filter(([name]) => name.toLowerCase() !== 'type')
        entries.splice(where % (entries.length + 1), 0, ['type', 'ping'])
        const said = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`
        expect(gate().pass(said)).toBe(said)
        const twice = `${said.slice(0, -1)},"type":"pong"}`
        expect(gate().pass(twice)).toMatchObject({ code: 4400 })
      }),
    )
  })
})

describe('subprotocols', () => {
  it('are offered as far as they are known', () => {
    expect(knownProtocols([])).toBe('')
    expect(knownProtocols(['foo, graphql-ws', 'graphql-transport-ws'])).toBe('graphql-ws, graphql-transport-ws')
    expect(knownProtocols(['foo'])).toBeUndefined()
    expect(chosenProtocol('foo')).toBeUndefined()
  })
})
