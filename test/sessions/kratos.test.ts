/** What Kratos answers, told by the client: the recorded cases, each put on the stand-in and asked through the client. */
import { describe, expect, it } from 'vitest'
import { resolveSafeguards } from '../../src/config/profile.ts'
import type { HeaderLine } from '../../src/pipeline/contract/headers.ts'
import type { SessionAnswer, SessionQuestion } from '../../src/pipeline/contract/session_store.ts'
import { createSessionReader } from '../../src/sessions/reader.ts'
import { createSessionStore } from '../../src/sessions/store.ts'
import { arrange, named, whoamiVectors, type WhoamiVector } from '../demo/vectors.ts'
import { policy } from './support.ts'

const clock = { now: () => Date.now(), monotonic: () => performance.now() }
const reader = createSessionReader(
  { subject_from: 'identity.id', extra_from: '@this' },
  resolveSafeguards('secure', {}),
  clock,
)

interface Told {
  readonly outcome: SessionAnswer['outcome']
  readonly code?: string
  /** Kratos' own name of the refusal. */
  readonly id?: string
  readonly limit?: string
}

/** What an answer of this status has to become. */
function expected({ given, expect: { status } }: WhoamiVector): Told {
  if (status === 200 && given.request.method !== 'HEAD') return { outcome: 'session' }
  if (status === 401) return { outcome: 'denied', code: 'credentials_invalid' }
  if (status === 403) return { outcome: 'denied', code: 'session_aal2_required', id: 'session_aal2_required' }
  if (status === 429) return { outcome: 'denied', code: 'rate_limited', limit: '10' }
  // 400 and 500 are Kratos' trouble; and a HEAD has no body in which a session could stand.
  return { outcome: 'unavailable', code: 'session_store_unavailable' }
}

function told(answer: SessionAnswer): Told {
  if (answer.outcome === 'session') return { outcome: 'session' }
  const { outcome, error } = answer
  const { error: { id } = {} } = JSON.parse(error.body ?? '{}') as { readonly error?: { readonly id?: string } }
  const limit = error.headers.find(([name]) => name === 'X-Ratelimit-Limit')?.[1]
  return { outcome, code: error.code, ...(id !== undefined && { id }), ...(limit !== undefined && { limit }) }
}

describe('the client and Kratos', () => {
  it.each(named(whoamiVectors()))('%s', async (_id, vector) => {
    const { standIn, fill } = await arrange(vector)
    const store = createSessionStore()
    try {
      const { method, path, headers } = vector.given.request
      const lines = Object.entries(headers).map(([name, value]): HeaderLine => [name.toLowerCase(), fill(value)])
      const question: SessionQuestion = { url: standIn.publicUrl + path, method, headers: lines, reader }
      // With nothing set but that answers may be kept: Kratos' own header decides.
      const answers = [await store.ask(question, policy()), await store.ask(question, policy())] as const
      expect(answers.map(told)).toEqual([expected(vector), expected(vector)])

      const calls = [...standIn.calls.values()].reduce((sum, count) => sum + count, 0)
      const cacheable = answers[0].outcome !== 'unavailable' && isCacheable(vector)
      expect(calls).toBe(cacheable ? 1 : 2)

      const { id } = JSON.parse(fill(JSON.stringify(vector.expect.body_includes ?? {}))) as { readonly id?: string }
      const [first] = answers
      const session = first.outcome === 'session' ? first.session : undefined
      expect(session?.id).toBe(id ?? session?.id)
      const setCookies = first.outcome === 'session' ? first.setCookie.length : undefined
      expect(setCookies).toBe(vector.expect.set_cookie_count ?? setCookies)
    } finally {
      await Promise.all([store.close(), standIn.close()])
    }
  })
})

/** Whether Kratos sends Ory-Session-Cache-For: it must be allowed to, and then for sessions and for no usable credential. */
function isCacheable({ given: { config, request }, expect: { status, headers } }: WhoamiVector): boolean {
  const header = headers?.['Ory-Session-Cache-For']
  if (!config.cacheable_sessions || (typeof header === 'object' && 'absent' in header)) return false
  return status === 200 ? !request.path.includes('tokenize_as') : header !== undefined
}
