import { describe, expect, it } from 'vitest'
import { duration } from '../../src/documents/duration.ts'
import { parseDuration } from '../../src/documents/parse_duration.ts'

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['0s', 0],
    ['250us', 0.25],
    ['1000000ns', 1],
  ])('%s is %d ms', (text, expected) => {
    expect(parseDuration(text)).toBeCloseTo(expected)
    expect(duration.parse(text)).toBeCloseTo(expected)
  })

  it.each(['', '1m30s', '1.5s', '-1s', '10', 's', '1 s', '1d', '1S', '١s'])('%s is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
    expect(duration.safeParse(text).success).toBe(false)
  })
})
