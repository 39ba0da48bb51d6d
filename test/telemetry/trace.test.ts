import { trace, type Span } from '@opentelemetry/api'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatTraceparent, outgoingTraceparent, parseTraceparent, traceId } from '../../src/telemetry/trace.ts'

const id = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = '00f067aa0ba902b7'
const header = `00-${id}-${parent}-01`

afterEach(() => {
  vi.restoreAllMocks()
})

describe('parseTraceparent', () => {
  it('reads a valid header, also of a later version', () => {
    expect(parseTraceparent(header)).toEqual({ traceId: id, parentId: parent, flags: 1 })
    expect(parseTraceparent(`cc-${id}-${parent}-00-what-comes`)).toEqual({ traceId: id, parentId: parent, flags: 0 })
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
    expect(parseTraceparent(value)).toBeUndefined()
  })
})

describe('without an SDK', () => {
  it("uses and passes on the client's trace, and makes none up", () => {
    expect(traceId(header)).toBe(id)
    expect(outgoingTraceparent(header)).toBe(header)
    expect(traceId(undefined)).toBeUndefined()
    expect(outgoingTraceparent('nonsense')).toBeUndefined()
  })
})

describe('with an active span', () => {
  it('is its child', () => {
    const spanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1 }
    vi.spyOn(trace, 'getActiveSpan').mockReturnValue({ spanContext: () => spanContext } as unknown as Span)
    expect(traceId(header)).toBe('a'.repeat(32))
    expect(outgoingTraceparent(header)).toBe(
      formatTraceparent({ traceId: 'a'.repeat(32), parentId: 'b'.repeat(16), flags: 1 }),
    )
  })
})
