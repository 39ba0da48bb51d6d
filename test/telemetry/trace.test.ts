import { describe, expect, it } from 'vitest'
import { traceIdOf } from '../../src/telemetry/trace.ts'

const id = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = '00f067aa0ba902b7'
const header = `00-${id}-${parent}-01`

describe('traceIdOf', () => {
  it('reads a valid header, also of a later version', () => {
    expect(traceIdOf(header)).toBe(id)
    expect(traceIdOf(`cc-${id}-${parent}-00-what-comes`)).toBe(id)
  })

  it.each([
    undefined,
    '',
    header.slice(1),
    header.toUpperCase(),
    `ff-${id}-${parent}-01`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `${header}-more`,
    `01-${id}-${parent}-01x`,
    `00-${id}_${parent}-01`,
    `00-${id}-${parent}-0g`,
  ])('ignores %j', (value) => {
    expect(traceIdOf(value)).toBeUndefined()
  })
})
