/** Several authorizers, and mutators before them. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineAuthorizer, defineMutator, GatewayError, type TraceStep } from '../../src/index.ts'
import { loadGateway } from '../support/gateway.ts'
import { inboundOf } from '../support/inbound.ts'
import { editsOf, refused, ruleOf, statusOf } from './scenario.ts'

/** Adds an item to `extra.roles`; with `later` not at once. */
const grant = defineMutator({
  name: 'grant',
  config: z.strictObject({ role: z.string(), later: z.boolean().default(false) }),
  create: ({ role, later }) => ({
    owns: ['x-role'],
    mutate({ session }) {
      const mutation = {
        session: { ...session, extra: { ...session.extra, [role]: true } },
        edits: [['X-Role', role]] as const,
      }
      return later ? Promise.resolve(mutation) : mutation
    },
  }),
})

/** Allows who has the role. */
const needs = defineAuthorizer({
  name: 'needs',
  config: z.strictObject({ role: z.string(), later: z.boolean().default(false) }),
  create: ({ role, later }) => ({
    owns: [],
    authorize({ session }) {
      const result =
        session.extra?.[role] === true
          ? ({ outcome: 'allowed', edits: [[`X-Checked-${role}`, 'yes']] } as const)
          : ({ outcome: 'denied', error: new GatewayError('access_denied', { detail: role }) } as const)
      return later ? Promise.resolve(result) : result
    },
  }),
})

const on = { enabled: true }
const config = {
  authenticators: { anonymous: on },
  authorizers: { allow: on, deny: on, needs: { ...on, config: { role: 'none' } } },
  mutators: { noop: on, grant: { ...on, config: { role: 'none' } } },
}

async function decideWith(parts: object) {
  await using test = await loadGateway({ config, rules: [{ ...ruleOf({}), ...parts }], handlers: [grant, needs] })
  const steps: TraceStep[] = []
  const decision = await test.gateway.decide(inboundOf('http://h/'), (step) => steps.push(step))
  return { decision, problems: test.gateway.problems, steps }
}

const needing = (role: string, later = false): object => ({ handler: 'needs', config: { role, later } })
const granting = (role: string, later = false): object => ({ handler: 'grant', config: { role, later } })

describe('authorizer as a list', () => {
  it.each([
    [[{ handler: 'allow' }, { handler: 'allow' }], 200],
    [[{ handler: 'allow' }, { handler: 'deny' }], 403],
    [[{ handler: 'deny' }, { handler: 'allow' }], 403],
    [[{ handler: 'allow' }], 200],
    [[], 500],
    [[{ handler: 'allow' }, { handler: 'unknown' }], 500],
    [[{ handler: 'allow' }, {}], 500],
    [[{ handler: 'allow' }, 'allow'], 500],
  ])('%j answers %i', async (authorizer, status) => {
    const { decision, problems } = await decideWith({ authorizer })
    expect(statusOf(decision)).toBe(status)
    expect(problems.some(({ severity }) => severity === 'error')).toBe(status === 500)
  })

  it('stops at the first that refuses', async () => {
    const { decision, steps } = await decideWith({ authorizer: [needing('a'), needing('b')] })
    expect(refused(decision).error.detail).toBe('a')
    expect(steps.filter(({ step }) => step === 'authorizer')).toHaveLength(1)
  })
})

describe('before_authorizer', () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('gives the authorizers what its mutators found (later: %j, %j)', async (mutatorLater, authorizerLater) => {
    const { decision, steps, problems } = await decideWith({
      before_authorizer: [granting('a', mutatorLater), granting('b', mutatorLater)],
      authorizer: [needing('a', authorizerLater), needing('b', authorizerLater)],
      mutators: [granting('c', mutatorLater)],
    })
    expect(problems).toEqual([])
    expect(editsOf(decision)).toEqual({ 'x-role': 'c', 'x-checked-a': 'yes', 'x-checked-b': 'yes' })
    expect(steps.map(({ step, name }) => `${step} ${name}`)).toEqual([
      'match the-rule', 'authenticator anonymous', 'mutator grant', 'mutator grant', 'authorizer needs', 'authorizer needs', 'mutator grant',
    ]) // prettier-ignore
  })

  it('does not take the place of the mutators', async () => {
    const { decision } = await decideWith({ before_authorizer: [granting('a')], mutators: [] })
    expect(statusOf(decision)).toBe(500)
  })

  it.each([['grant'], [[{ handler: 5 }]], [[{ handler: 'unknown' }]], [[{ handler: 'grant', config: { roles: 1 } }]]])(
    'refuses every request when it is faulty: %j',
    async (faulty) => {
      const { decision, problems } = await decideWith({ before_authorizer: faulty })
      expect(statusOf(decision)).toBe(500)
      expect(problems).toContainEqual(expect.objectContaining({ severity: 'error' }))
    },
  )
})
