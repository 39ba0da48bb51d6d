/** When key sets are asked, and what counts while they do not answer; time is the test's own. */
import { writeFileSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { HttpCallError } from '../../../src/outbound/client.ts'
import type { HttpClient, HttpResponse } from '../../../src/pipeline/contract/http_client.ts'
import { createVerificationKeys, type KeyLookup, type VerificationKeys } from '../../../src/tokens/verification/keys.ts'
import { inlineSet, newKey, published } from '../../support/tokens.ts'
import { vectors } from '../../rules/vectors.ts'
import { testClock, testLog, type TestClock } from '../support.ts'

let jwk: JWK
beforeAll(async () => {
  jwk = await newKey('ES256', 'template')
})

const setOf = (...kids: readonly string[]) => published(...kids.map((kid) => ({ ...jwk, kid })))

type Answer = HttpResponse | HttpCallError | 'never' | 'later'

const found = (...kids: readonly string[]): HttpResponse => ({
  status: 200,
  headers: {},
  body: JSON.stringify(setOf(...kids)),
})

/** Sources by URL; `later` answers when `release` is called, with what then stands in its place. */
class Sources implements HttpClient {
  readonly answers: Record<string, Answer>
  readonly asked: string[] = []
  readonly #waiting: (() => void)[] = []

  constructor(answers: Record<string, Answer>) {
    this.answers = answers
  }

  async send({ url }: { readonly url: string }): Promise<HttpResponse> {
    this.asked.push(url)
    if (this.answers[url] === 'never') await new Promise<never>(() => undefined)
    if (this.answers[url] === 'later') {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
    const answer = this.answers[url]
    if (typeof answer === 'object' && !(answer instanceof Error)) return answer
    throw answer instanceof Error ? answer : new HttpCallError('failed', 'gave no answer')
  }

  release(url: string, answer: Answer): void {
    this.answers[url] = answer
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

interface Stage {
  readonly sources: Sources
  readonly clock: TestClock
  readonly keys: VerificationKeys
  readonly warnings: readonly object[]
  find(
    kid: string,
    urls?: readonly string[],
    settings?: { readonly ttl?: number; readonly maxWait?: number },
  ): Promise<string>
}

function stage(answers: Record<string, Answer>): Stage {
  const sources = new Sources(answers)
  const clock = testClock()
  const log = testLog()
  const keys = createVerificationKeys({ clock, http: sources, log })
  const outcomeOf = (lookup: KeyLookup): string => (lookup.outcome === 'found' ? lookup.key.kid : lookup.outcome)
  return {
    sources,
    clock,
    keys,
    warnings: log.warnings,
    find: async (kid, urls = Object.keys(answers), { ttl = 30_000, maxWait = 20 } = {}) =>
      outcomeOf(await keys.find(urls, kid, { ttl, maxWait })),
  }
}

const A = 'http://a.example/jwks'
const B = 'http://b.example/jwks'
const MINUTE = 60_000

describe('jwks_fetcher', () => {
  const SLOW = 'http://slow.example/jwks'
  const FAST = 'http://fast.example/jwks'
  const INVALID = 'http://invalid.example/jwks'

  /** Every source of the cases; the one that answers too late does so when it is told to. */
  async function allSources(): Promise<Stage & { readonly urls: readonly string[] }> {
    const test = stage({
      [A]: 'later',
      [SLOW]: found('2aeaef79'),
      [FAST]: found('392e1a6b', '8e884167'),
      [INVALID]: { status: 200, headers: {}, body: 'not JSON' },
    })
    const files = [setOf('81be3441'), setOf('3e0edde4', 'f4190122')].map(inlineSet)
    return { ...test, urls: [...Object.keys(test.sources.answers), ...files] }
  }

  interface Case {
    readonly id: string
    readonly when: { readonly kid?: string; readonly at?: string }
    readonly expect: { readonly error?: true; readonly stale?: true }
  }
  const cases = vectors('jwks_fetcher') as unknown as readonly Case[]
  const isFirst = ({ when: { at = 'first call' } }: Case): boolean => at === 'first call'
  const [others, looked] = [
    cases.filter(({ when: { kid = 'k1' } }) => kid === 'k1'),
    cases.filter(({ when: { kid = 'k1' } }) => kid !== 'k1'),
  ]

  it.each(looked.filter(isFirst))('$id', async ({ when: { kid = '' }, expect: { error } }) => {
    const test = await allSources()
    // Nobody can say whether the set that is still on its way has the key.
    expect(await test.find(kid, test.urls)).toBe(error === true ? 'unavailable' : kid)
  })

  it.each(looked.filter((vector) => !isFirst(vector)))('$id', async ({ when: { kid = '' }, expect: { stale } }) => {
    const test = await allSources()
    if (stale === true) test.sources.answers[A] = found(kid)
    expect(await test.find(kid, test.urls)).toBe(kid)
    for (const url of Object.keys(test.sources.answers))
      test.sources.answers[url] = new HttpCallError('failed', 'is closed')
    if (stale === true) {
      test.sources.answers[A] = 'later'
      test.clock.advance(MINUTE)
    }
    expect(await test.find(kid, test.urls)).toBe(kid)
  })

  it('the other cases are these', () => {
    expect(others.map(({ id }) => id)).toEqual(['jwks-fetcher-010', 'jwks-fetcher-013'])
  })

  it('jwks-fetcher-010: all sources but the invalid one have keys to give', async () => {
    const test = await allSources()
    test.sources.release(A, found('c61308cc'))
    const kids = ['c61308cc', '2aeaef79', '392e1a6b', '8e884167', '81be3441', '3e0edde4']
    expect(await Promise.all(kids.map((kid) => test.find(kid, test.urls)))).toEqual(kids)
  })

  it('jwks-fetcher-013: a key of another use is none', async () => {
    const set = { keys: setOf('k1').keys.map((key) => ({ ...key, use: 'enc' })) }
    expect(await stage({ [A]: { status: 200, headers: {}, body: JSON.stringify(set) } }).find('k1')).toBe('unknown')
  })
})

describe('a key set', () => {
  it('is asked once by all who need it at the same time, and again after its ttl', async () => {
    const test = stage({ [A]: found('k') })
    expect(await Promise.all([test.find('k'), test.find('k'), test.find('k')])).toEqual(['k', 'k', 'k'])
    expect(await test.find('k')).toBe('k')
    expect(test.sources.asked).toHaveLength(1)
    test.clock.advance(30_000)
    expect(await test.find('k')).toBe('k')
    expect(test.sources.asked).toHaveLength(2)
  })

  it('that is fresh gives its keys without a promise', async () => {
    const test = stage({ [A]: found('k') })
    await test.find('k')
    expect(test.keys.find([A], 'k', { ttl: 1000, maxWait: 1 })).toMatchObject({ outcome: 'found' })
  })

  it('is not asked more often for kids that it does not have', async () => {
    const test = stage({ [A]: found('k') })
    for (let i = 0; i < 50; i++) expect(await test.find(`unknown-${i}`)).toBe('unknown')
    expect(test.sources.asked).toHaveLength(1)
    test.clock.advance(5000)
    for (let i = 0; i < 50; i++) expect(await test.find(`unknown-${i}`)).toBe('unknown')
    expect(test.sources.asked).toHaveLength(2)
  })

  it('that was changed within its ttl gives its new key after some seconds', async () => {
    const test = stage({ [A]: found('old') })
    expect(await test.find('old')).toBe('old')
    test.sources.answers[A] = found('new')
    test.clock.advance(5000)
    expect(await test.find('new')).toBe('new')
    expect(await test.find('old')).toBe('unknown')
  })

  it('that is said to be gone has no keys, at once', async () => {
    const test = stage({ [A]: found('k'), [B]: found('other') })
    expect(await test.find('k')).toBe('k')
    test.sources.answers[A] = { status: 404, headers: {}, body: '' }
    test.clock.advance(MINUTE)
    expect(await test.find('k')).toBe('unknown')
    expect(await test.find('k', [A])).toBe('unavailable')
    expect(test.warnings).toEqual([
      {
        fields: { key_set: A, problem: 'answered with status 404' },
        message: expect.stringMatching(/could not be read/),
      },
    ])
  })

  it('that failed is asked again after a second at the earliest', async () => {
    const test = stage({ [A]: { status: 404, headers: {}, body: '' } })
    for (let i = 0; i < 10; i++) expect(await test.find('k')).toBe('unavailable')
    expect(test.sources.asked).toHaveLength(1)
    test.sources.answers[A] = found('k')
    test.clock.advance(1000)
    expect(await test.find('k')).toBe('k')
  })

  it('rel-038: that is out of reach gives the keys it had, for an hour', async () => {
    const test = stage({ [A]: found('k') })
    expect(await test.find('k')).toBe('k')
    test.sources.answers[A] = 'never'
    test.clock.advance(30 * MINUTE)
    expect(await test.find('k')).toBe('k')
    test.clock.advance(31 * MINUTE)
    expect(await test.find('k')).toBe('unavailable')
  })

  it('that hangs does not hold up a key of another', async () => {
    const test = stage({ [A]: 'never', [B]: found('k') })
    expect(await test.find('k', [A, B], { maxWait: 1_000_000 })).toBe('k')
    expect(await test.find('other', [A, B])).toBe('unavailable')
  })

  it('passes over keys that it cannot read, and keys that are no keys for signatures', async () => {
    const [key] = setOf('good').keys
    const strange = [
      { kty: 'XYZ', kid: 'x' },
      { kty: 'EC', crv: 'secp256k1', kid: 'y', use: 'sig', x: 'AA', y: 'AA' },
      7,
      null,
    ]
    const others = [
      { ...key, kid: 'no-use', use: undefined },
      { ...key, kid: undefined },
    ]
    const body = JSON.stringify({ keys: [...strange, ...others, key] })
    const test = stage({ [A]: { status: 200, headers: {}, body } })
    expect(await Promise.all(['good', 'x', 'y', 'no-use', ''].map((kid) => test.find(kid)))).toEqual([
      'good',
      ...Array(4).fill('unknown'),
    ])
  })

  it('in a file is read again after its ttl', async () => {
    await using folder = await mkdtempDisposable(path.join(tmpdir(), 'mintkeeper-keys-'))
    const file = path.join(folder.path, 'jwks.json')
    const url = `file://${file}`
    const test = stage({})
    expect(await test.keys.checkLocal(url)).toMatch(/does not exist/)
    writeFileSync(file, JSON.stringify(setOf('one')))
    expect(await test.keys.checkLocal(url)).toBeUndefined()
    expect(await test.find('one', [url])).toBe('one')
    writeFileSync(file, JSON.stringify(setOf('two')))
    test.clock.advance(30_000)
    expect(await test.find('two', [url])).toBe('two')
  })
})
