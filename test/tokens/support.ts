import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { JWK } from 'jose'
import { expect } from 'vitest'
import { resolveSafeguards } from '../../src/config/profile.ts'
import type { Exchange } from '../../src/pipeline/contract/exchange.ts'
import type { KeySet } from '../../src/pipeline/contract/keys.ts'
import type { Clock, Log } from '../../src/pipeline/contract/runtime.ts'
import type { Safeguards } from '../../src/pipeline/contract/safeguards.ts'
import type { Session } from '../../src/pipeline/contract/session.ts'
import type { Setup } from '../../src/pipeline/contract/setup.ts'
import type { JsonObject } from '../../src/pipeline/contract/values.ts'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { readKeySet } from '../../src/tokens/key_set.ts'
import { createKeySets } from '../../src/tokens/key_sets.ts'
import { createTokenCache } from '../../src/tokens/token_cache.ts'
import { inboundOf } from '../support/inbound.ts'

export interface TestClock extends Clock {
  advance(milliseconds: number): void
}

/** A clock that stands still until it is told to go on. */
export function testClock(start = Date.parse('2026-01-01T00:00:00Z')): TestClock {
  let passed = 0
  return {
    now: () => start + passed,
    monotonic: () => passed,
    advance: (milliseconds) => {
      passed += milliseconds
    },
  }
}

export interface LogLine {
  readonly fields: object
  readonly message: string
}

const ignore = (): void => {}

export function testLog(): Log & { readonly warnings: readonly LogLine[] } {
  const warnings: LogLine[] = []
  return {
    debug: ignore,
    info: ignore,
    error: ignore,
    warnings,
    warn: (fields, message) => warnings.push({ fields, message }),
  }
}

export async function privateKey(alg: string, kid: string): Promise<JWK> {
  const { keys } = await generateKeySet({ alg, kid })
  return keys[0]
}

export function publicOf(jwk: JWK, kid: string): JWK {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...half } = jwk
  return { ...half, kid }
}

export const keySetOf = (...keys: readonly unknown[]): Promise<KeySet> =>
  readKeySet(JSON.stringify({ keys }), 'file://test.json')

export const asBase64 = (document: unknown): string =>
  `base64://${Buffer.from(JSON.stringify(document)).toString('base64')}`

interface ExchangeOptions {
  readonly session?: Partial<Session> & { readonly extra?: JsonObject | null }
  readonly url?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly captures?: readonly string[]
}

export function exchangeOf({
  session,
  url = 'http://gw.example/',
  captures = [],
  ...request
}: ExchangeOptions = {}): Exchange {
  return {
    inbound: inboundOf(url, request),
    captures,
    session: { subject: 'alice', extra: {}, ...session },
    edits: [],
  }
}

interface SetupOptions {
  readonly profile?: 'oathkeeper' | 'secure'
  readonly safeguards?: Partial<Safeguards>
  readonly clock?: Clock
  readonly log?: Log
}

/** What a mutator gets at load; without a session store, which tokens do not need. */
export function setupOf({
  profile = 'oathkeeper',
  safeguards = {},
  clock = testClock(),
  log = testLog(),
}: SetupOptions = {}): Setup {
  return {
    safeguards: { ...resolveSafeguards(profile, {}), ...safeguards },
    clock,
    log,
    randomUUID: () => crypto.randomUUID(),
    keys: createKeySets(),
    tokens: createTokenCache({ clock }),
    tokenTemplates: new Map(),
    sessions: { ask: () => Promise.reject(new Error('tokens ask no session store')) },
    revocations: { publish: ignore, subscribe: () => ignore },
    http: { send: () => Promise.reject(new Error('tokens call no service')) },
    shared: () => {
      throw new Error('tokens share nothing')
    },
    templates: {},
    matchingStrategy: 'regexp',
    sessionCookie: 'ory_kratos_session',
    sessionCookies: ['ory_kratos_session'],
    passCredentials: false,
    report: ignore,
  }
}

/** The outcome of a function that throws anything at all. */
export const anyError = { error: expect.anything() as unknown }

/** What a function gives or throws, as a value that one expectation can look at. */
export function outcomeOf<Value>(run: () => Value): { readonly value: Value } | { readonly error: unknown } {
  try {
    return { value: run() }
  } catch (error) {
    return { error }
  }
}

/**
 * The cases of some groups of a vector file; which shape they have, the caller says. Read as a file, because bundlers
 * refuse the lone surrogates in it.
 */
export function casesOf(
  file: 'oathkeeper' | 'security' | 'templates',
  ...groups: readonly [string, ...string[]]
): readonly unknown[] {
  const text = readFileSync(path.join(import.meta.dirname, '..', 'vectors', `${file}.json`), 'utf8')
  const document = JSON.parse(text) as Labelled[] | { readonly cases: Labelled[] }
  const cases = Array.isArray(document) ? document : document.cases
  return cases.filter(({ group, class: kind }) => groups.includes(group ?? kind ?? ''))
}

interface Labelled {
  readonly group?: string
  readonly class?: string
}
