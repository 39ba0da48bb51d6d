import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { batchLines } from '../../src/telemetry/log_batch.ts'

describe('lines of the log', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('are handed on together, in order, within 50 ms', () => {
    const batches: (readonly string[])[] = []
    const target = batchLines((lines) => batches.push(lines))
    target.write('a\n')
    target.write('b\n')
    vi.advanceTimersByTime(49)
    expect(batches).toEqual([])
    vi.advanceTimersByTime(1)
    expect(batches).toEqual([['a\n', 'b\n']])
    target.write('c\n')
    vi.advanceTimersByTime(50)
    expect(batches).toEqual([['a\n', 'b\n'], ['c\n']])
  })

  it('do not wait when there are many', () => {
    const batches: (readonly string[])[] = []
    const target = batchLines((lines) => batches.push(lines))
    for (let i = 0; i < 300; i++) target.write(`${i}\n`)
    expect(batches.map((lines) => lines.length)).toEqual([128, 128])
    vi.advanceTimersByTime(50)
    expect(batches.flat()).toEqual(Array.from({ length: 300 }, (_, i) => `${i}\n`))
  })

  it('are handed on when the process is about to end, and then no more', () => {
    const batches: (readonly string[])[] = []
    const target = batchLines((lines) => batches.push(lines))
    target.write('last\n')
    target.flush()
    target.flush()
    vi.advanceTimersByTime(100)
    expect(batches).toEqual([['last\n']])
  })
})
