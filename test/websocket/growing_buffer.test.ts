import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { GrowingBuffer } from '../../src/proxy/websocket/growing_buffer.ts'

const pieces = fc.array(fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)))

it('holds what it was given, also what was changed in the copies, and then nothing', () => {
  fc.assert(
    fc.property(pieces, (given) => {
      const buffer = new GrowingBuffer()
      for (const piece of given) {
        const before = Buffer.from(piece)
        const copy = buffer.append(piece)
        expect(copy.equals(piece)).toBe(true)
        copy.fill(1)
        expect(piece.equals(before)).toBe(true)
      }
      const size = Buffer.concat(given).length
      expect(buffer.length).toBe(size)
      expect(buffer.take().equals(Buffer.alloc(size, 1))).toBe(true)
      expect([buffer.length, buffer.take().length]).toEqual([0, 0])
    }),
  )
})
