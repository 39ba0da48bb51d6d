/**
 * Broken configs and rules, through a whole gateway: it starts and decides, or it says what is wrong and where. It never
 * throws anything else, never hangs, and never starts with a part of what it was told.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { createGateway, type Gateway, type Problem, ProblemsError } from '../../src/index.ts'
import { inboundOf } from '../support/inbound.ts'
import { mutateText, mutateTree, textMutations, treeMutations } from './mutations.ts'
import { type Original, originals } from './originals.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'mintkeeper-fuzz-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const inDirectory = (file: string): string => path.join(directory, file)

interface Texts {
  readonly config: string
  readonly rules: string
  readonly json: boolean
}

function write({ config, rules, json }: Texts): string {
  const file = inDirectory(json ? 'config.json' : 'config.yaml')
  writeFileSync(file, config)
  writeFileSync(inDirectory('rules'), rules)
  return file
}

const withRepository = (config: object): object => ({
  ...config,
  access_rules: {
    ...(config as { readonly access_rules?: object }).access_rules,
    repositories: [`file://${inDirectory('rules')}`],
  },
})

const textOf = (json: boolean, value: unknown): string => (json ? JSON.stringify(value, null, 2) : stringify(value))

const oneIn = <T>(count: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 1, arbitrary }, { weight: count - 1, arbitrary: fc.constant(null) })

const broken: fc.Arbitrary<Texts> = fc
  .record({
    original: fc.constantFrom(...originals),
    json: fc.boolean(),
    configTree: oneIn(2, treeMutations),
    rulesTree: oneIn(2, treeMutations),
    configText: oneIn(5, textMutations),
    rulesText: oneIn(5, textMutations),
  })
  .map(({ original, json, configTree, rulesTree, configText, rulesText }) => {
    const config = withRepository(original.config)
    const text = textOf(json, configTree === null ? config : mutateTree(config, configTree))
    const rules = textOf(json, rulesTree === null ? original.rules : mutateTree(original.rules, rulesTree))
    return {
      json,
      config: configText === null ? text : mutateText(text, configText),
      rules: rulesText === null ? rules : mutateText(rules, rulesText),
    }
  })

const requests = [
  inboundOf('http://h/a/b'),
  inboundOf('http://127.0.0.1:4455/', { headers: { Cookie: 'ory_kratos_session=s', Accept: 'text/html' } }),
  inboundOf('http://h/b', { headers: { Authorization: 'Bearer a.b.c' } }),
  inboundOf('http://h/a/b', { method: 'POST', headers: { Cookie: 'a=b', 'X-Token': 't' } }),
]

/** What is wrong with the decisions of a gateway: nothing, whatever its rules are. */
async function faultsOf(gateway: Gateway): Promise<unknown[]> {
  const decisions = await Promise.all(requests.map(async (request) => gateway.decide(request)))
  return decisions.filter((decision) =>
    decision.allowed
      ? typeof decision.ruleId !== 'string'
      : decision.answer.status < 300 || decision.error.code === 'internal_error',
  )
}

/** Those that nobody could act on: without a sentence, or without a place of the files that there is. */
const untold = (problems: readonly Problem[]): Problem[] =>
  problems.filter(({ message, place }) => {
    if (message.trim() === '' || place === undefined) return true
    if (typeof place === 'string') return place === ''
    return !place.file.startsWith(directory) || place.line < 1 || place.column > place.text.length + 1
  })

const isError = ({ severity }: Problem): boolean => severity === 'error'

async function load(file: string): Promise<Gateway | ProblemsError> {
  try {
    return await createGateway({ configFiles: [file], env: {}, logTarget: { write: () => undefined } })
  } catch (error) {
    if (error instanceof ProblemsError) return error
    throw error
  }
}

describe('broken configs and rules', () => {
  it.each(originals)('$name is sound', async ({ config, rules }: Original) => {
    const gateway = await load(
      write({ json: false, config: stringify(withRepository(config)), rules: stringify(rules) }),
    )
    if (gateway instanceof ProblemsError) throw gateway
    expect(gateway.problems.filter(isError)).toEqual([])
    await gateway.close(0)
  })

  it('start a gateway that decides, or are told', async () => {
    const seen = { started: 0, refused: 0 }
    await fc.assert(
      fc.asyncProperty(broken, async (texts) => {
        const result = await load(write(texts))
        expect(untold(result.problems)).toEqual([])
        if (result instanceof ProblemsError) {
          seen.refused++
          return result.problems.some(isError)
        }
        seen.started++
        try {
          const errors = result.problems.filter(isError)
          expect(result.config.safeguards.invalid_rules === 'refuse' ? errors : []).toEqual([])
          expect(await faultsOf(result)).toEqual([])
          return true
        } finally {
          await result.close(0)
        }
      }),
      { numRuns: 80, timeout: 15_000, endOnFailure: true },
    )
    // Mutations that only ever break, or never do, would show nothing.
    expect(Math.min(seen.started, seen.refused)).toBeGreaterThan(8)
  }, 120_000)

  it('never change a gateway by halves', async () => {
    const [original] = originals as [Original]
    const sound = {
      json: true,
      config: JSON.stringify(withRepository(original.config)),
      rules: JSON.stringify(original.rules),
    }
    const gateway = await load(write(sound))
    if (gateway instanceof ProblemsError) throw gateway
    try {
      await fc.assert(
        fc.asyncProperty(broken, async (texts) => {
          const before = gateway.config
          write({ ...texts, json: true })
          const { state, problems } = await gateway.reload()
          expect(untold(problems)).toEqual([])
          expect(gateway.config).toBe(state?.config ?? before)
          expect(await faultsOf(gateway)).toEqual([])
        }),
        { numRuns: 200, timeout: 15_000, endOnFailure: true },
      )
    } finally {
      await gateway.close(0)
    }
  }, 120_000)
})
