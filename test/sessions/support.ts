/** Questions, policies and a clock of the tests' own. */
import { resolveSafeguards } from '../../src/config/profile.ts'
import type { HeaderLine } from '../../src/pipeline/contract/headers.ts'
import type { Clock } from '../../src/pipeline/contract/runtime.ts'
import type { SessionPolicy, SessionQuestion } from '../../src/pipeline/contract/session_store.ts'
import { createSessionReader } from '../../src/sessions/reader.ts'

export interface TestClock extends Clock {
  /** Lets time pass on both clocks. */
  pass(milliseconds: number): void
  /** Sets the wall clock alone, as an administrator or NTP may do. */
  setWall(milliseconds: number): void
}

export const START = Date.parse('2026-01-01T00:00:00Z')

export function testClock(): TestClock {
  let wall = START
  let monotonic = 1000
  return {
    now: () => wall,
    monotonic: () => monotonic,
    pass(milliseconds) {
      wall += milliseconds
      monotonic += milliseconds
    },
    setWall(milliseconds) {
      wall = milliseconds
    },
  }
}

export const policy = (settings: Partial<SessionPolicy> = {}): SessionPolicy => ({
  maxEntries: 100,
  staleIfError: 0,
  reuse: true,
  ...settings,
})

/** Questions about cookies, read as the profile `secure` reads them. */
export function asker(
  storeUrl: string,
  clock: Pick<Clock, 'now'>,
): (headers: string | readonly HeaderLine[]) => SessionQuestion {
  const settings = { subject_from: 'identity.id', extra_from: '@this' }
  const reader = createSessionReader(settings, resolveSafeguards('secure', {}), { ...clock, monotonic: () => 0 })
  return (headers) => ({
    url: `${storeUrl}/sessions/whoami`,
    method: 'GET',
    headers: typeof headers === 'string' ? [['cookie', `ory_kratos_session=${headers}`]] : headers,
    reader,
  })
}

/** What Kratos says of an active session that ends an hour after the tests' clock starts. */
export const sessionOf = (user: string, changes: object = {}): object => ({
  id: `session-of-${user}`,
  active: true,
  expires_at: new Date(START + 3_600_000).toISOString(),
  identity: { id: user, state: 'active', traits: {} },
  ...changes,
})
