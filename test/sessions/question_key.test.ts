import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SessionQuestion } from '../../src/pipeline/contract/session_store.ts'
import { questionKey, rememberedKeys } from '../../src/sessions/question_key.ts'
import { idReader } from '../../src/sessions/reader.ts'

const few = <Value>(...values: Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values)

/** Few enough values that questions come again, and differ in one thing only. */
const questions: fc.Arbitrary<SessionQuestion> = fc.record(
  {
    url: few('http://kratos/sessions/whoami', 'http://other/sessions/whoami'),
    method: few('GET', 'HEAD'),
    headers: fc.array(
      fc.tuple(
        few('cookie', 'x-session-token'),
        few('', 'short', 'ory_kratos_session=a-the-same-end', 'ory_kratos_session=b-the-same-end', 'ü'.repeat(12), '☃'),
      ),
      { maxLength: 2 },
    ),
    reader: few('one', 'two').map((key) => ({ ...idReader, key })),
    verbatim: few(true as const),
  },
  { requiredKeys: ['url', 'method', 'headers', 'reader'] },
)

describe('the key of a question', () => {
  it('is the same whether it was asked before or not', () => {
    fc.assert(
      fc.property(fc.array(questions, { minLength: 2, maxLength: 30 }), (asked) => {
        const keyOf = rememberedKeys()
        expect(asked.map((question) => keyOf(question))).toEqual(asked.map((question) => questionKey(question)))
      }),
    )
  })

  it('is found again beyond what is remembered', () => {
    const keyOf = rememberedKeys()
    const asked = Array.from({ length: 10_000 }, (_, index): SessionQuestion => {
      const credential = `ory_kratos_session=${String(index).padStart(40, '0')}`
      return { url: 'http://kratos/', method: 'GET', headers: [['cookie', credential]], reader: idReader }
    })
    expect(new Set([...asked, ...asked].map((question) => keyOf(question))).size).toBe(10_000)
  })
})
