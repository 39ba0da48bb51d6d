import { describe, expect, it } from 'vitest'
import { casesOf } from '../../tokens/support.ts'
import { loadRule, statusOf } from '../scenario.ts'
import { decideOn } from '../services.ts'

interface Vector {
  readonly id: string
  readonly given: { readonly handler: string }
  readonly expect: { readonly allowed?: true; readonly error_status?: number }
}

describe('recorded cases', () => {
  it.each(casesOf('oathkeeper', 'authorizer_simple') as Vector[])('$id', async ({ given, expect: expected }) => {
    await using gateway = await loadRule({ authorizer: given.handler })
    expect(statusOf(await decideOn(gateway))).toBe(expected.allowed === true ? 200 : expected.error_status)
  })
})
