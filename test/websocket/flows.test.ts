import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GraphqlGate } from '../../src/proxy/graphql_ws/gate.ts'
import { MessageFlow } from '../../src/proxy/graphql_ws/message_flow.ts'
import { chosenProtocol } from '../../src/proxy/graphql_ws/protocols.ts'
import { ByteFlow } from '../../src/proxy/websocket/byte_flow.ts'
import type { Flow, FlowEnds } from '../../src/proxy/websocket/flow.ts'
import { closeFrame, encodeFrame, opcodes } from '../../src/proxy/websocket/frames.ts'
import { closeOf, cut, cuts, frame, readFrames } from './frames.ts'

interface Watched {
  readonly flow: Flow
  readonly faults: [number, string][]
  readonly closings: number
  readonly written: () => Buffer
}

function watch(make: (ends: FlowEnds) => Flow): Watched {
  const chunks: Buffer[] = []
  const watched = {
    faults: [] as [number, string][],
    closings: 0,
    written: () => Buffer.concat(chunks),
  }
  const flow = make({
    write: (bytes) => chunks.push(bytes),
    fault: (...fault) => watched.faults.push(fault),
    closing: () => watched.closings++,
  })
  return Object.assign(watched, { flow })
}

const protocol = chosenProtocol('graphql-transport-ws')!
const gated = (maxMessage = 1_000_000): Watched =>
  watch((ends) => new MessageFlow(ends, new GraphqlGate(protocol, [], 'upgrade'), maxMessage))

const sizes = fc.oneof(fc.nat(130), fc.integer({ min: 65_530, max: 65_540 }))

describe('frames', () => {
  it('are what others read', () => {
    fc.assert(
      fc.property(sizes, fc.boolean(), (length, masked) => {
        const payload = Buffer.alloc(length, 'x')
        const { frames, rest } = readFrames(encodeFrame(opcodes.binary, payload, masked))
        expect(rest).toHaveLength(0)
        expect(frames).toEqual([{ fin: true, reserved: 0, opcode: 2, masked, payload }])
      }),
    )
  })

  it('that close carry a reason as far as it fits', () => {
    expect(closeOf(readFrames(closeFrame(4403, 'token ended', false)).frames[0]!)).toEqual([4403, 'token ended'])
    expect(closeFrame(4403, 'x'.repeat(500), false)).toHaveLength(127)
  })
})

describe('a direction of bytes', () => {
  const some = fc.array(fc.record({ opcode: fc.constantFrom(1, 2, 9), length: sizes, masked: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  })

  it('passes them untouched however they are cut, and puts its own frames between two of theirs', () => {
    fc.assert(
      fc.property(some, cuts, fc.nat(20), (list, places, when) => {
        const sent = list.map(({ opcode, length, masked }) =>
          frame(opcode, Buffer.alloc(opcode === 9 ? length % 126 : length, 7), { masked }),
        )
        const { flow, written, faults } = watch((ends) => new ByteFlow(ends))
        const ping = encodeFrame(opcodes.ping, Buffer.from('own'), false)
        for (const [index, piece] of cut(Buffer.concat(sent), places).entries()) {
          if (index === when) flow.insert(ping)
          flow.take(piece)
        }
        const { frames, rest } = readFrames(written())
        expect(rest).toHaveLength(0)
        expect(faults).toEqual([])
        const theirs = frames.filter(({ payload }) => payload.toString() !== 'own')
        expect(theirs).toHaveLength(sent.length)
        const own = written().indexOf(ping)
        const others = own === -1 ? written() : Buffer.concat([written().subarray(0, own), written().subarray(own + 5)])
        expect(others.equals(Buffer.concat(sent))).toBe(true)
      }),
    )
  })

  it('says its last words once a frame is whole, and nothing after them', () => {
    const { flow, written } = watch((ends) => new ByteFlow(ends))
    const sent = frame(opcodes.text, 'hello', { masked: false })
    flow.take(sent.subarray(0, 4))
    flow.finish(closeFrame(1001, '', false), frame(opcodes.text, 'bye', { masked: false }))
    expect(written().equals(sent.subarray(0, 4))).toBe(true)
    flow.take(Buffer.concat([sent.subarray(4), sent]))
    flow.insert(encodeFrame(opcodes.ping, Buffer.alloc(0), false))
    expect(readFrames(written()).frames.map(({ opcode }) => opcode)).toEqual([1, 1, 8])
  })

  it('puts no message into another', () => {
    const { flow, written } = watch((ends) => new ByteFlow(ends))
    flow.take(frame(opcodes.text, 'begun', { masked: false, fin: false }))
    flow.finish(closeFrame(4403, '', false), frame(opcodes.text, 'bye', { masked: false }))
    expect(readFrames(written()).frames.map(({ opcode }) => opcode)).toEqual([1, 8])
  })

  it.each([
    ['one frame', [frame(2, Buffer.alloc(2000))], 0],
    ['several frames', [frame(2, Buffer.alloc(600), { fin: false }), frame(0, Buffer.alloc(600))], 1],
    [
      'ever more empty frames',
      [frame(2, '', { fin: false }), ...Array<Buffer>(10_001).fill(frame(0, '', { fin: false }))],
      10_000,
    ],
  ])('ends at a message that is too big: %s', (_name, sent, passed) => {
    const { flow, written, faults } = watch((ends) => new ByteFlow(ends, 1024))
    flow.take(frame(2, Buffer.alloc(1024)))
    flow.take(Buffer.concat(sent))
    expect(faults).toEqual([[1009, 'the message is too big']])
    expect(readFrames(written()).frames).toHaveLength(1 + passed)
  })
})

describe('a direction of messages', () => {
  const init = JSON.stringify({ type: 'connection_init' })
  const messages = fc.array(
    fc
      .string({ maxLength: 300, unit: 'grapheme' })
      .map((query) => JSON.stringify({ id: '1', type: 'subscribe', payload: { query } })),
    { maxLength: 4 },
  )

  it('puts them together however they are fragmented and cut, with pings in between', () => {
    fc.assert(
      fc.property(messages, cuts, cuts, (texts, fragmentation, places) => {
        const all = [init, ...texts]
        const sent = all.flatMap((text) => {
          const parts = cut(Buffer.from(text), fragmentation)
          return parts.flatMap((part, index) => [
            frame(index === 0 ? 1 : 0, part, { fin: index === parts.length - 1 }),
            frame(9, 'ping'),
          ])
        })
        const { flow, written, faults } = gated()
        for (const piece of cut(Buffer.concat(sent), places)) flow.take(piece)
        expect(faults).toEqual([])
        const { frames, rest } = readFrames(written())
        expect(rest).toHaveLength(0)
        expect(frames.every(({ masked, fin }) => masked && fin)).toBe(true)
        expect(frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => payload.toString())).toEqual(all)
        expect(frames.filter(({ opcode }) => opcode === 9)).toHaveLength(sent.length / 2)
      }),
    )
  })

  it.each([
    ['an unmasked frame', frame(1, init, { masked: false }), 1002],
    ['a compressed frame', frame(1, init, { reserved: 4 }), 1002],
    ['an unknown kind of frame', frame(3, init), 1002],
    ['an unknown kind of control frame', frame(11, ''), 1002],
    ['a fragmented ping', frame(9, '', { fin: false }), 1002],
    ['a long ping', frame(9, Buffer.alloc(126)), 1002],
    ['an end without a beginning', frame(0, init), 1002],
    ['a message within another', Buffer.concat([frame(1, '{', { fin: false }), frame(1, init)]), 1002],
    ['a binary message', frame(2, init), 4400],
    ['text that is none', frame(1, Buffer.from([0x7b, 0xff, 0x7d])), 1007],
    ['text that is no JSON', frame(1, '{'), 4400],
    [
      'a first message of 70 kB',
      frame(1, JSON.stringify({ type: 'connection_init', payload: 'x'.repeat(70_000) })),
      1009,
    ],
    [
      'ever more empty frames',
      Buffer.concat([frame(1, '', { fin: false }), ...Array<Buffer>(10_001).fill(frame(0, '', { fin: false }))]),
      1009,
    ],
    [
      'a payload of ever more lists',
      frame(1, `{"type":"connection_init","payload":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
      4400,
    ],
  ])('ends at %s', (_name, sent, code) => {
    const { flow, written, faults } = gated()
    flow.take(sent)
    expect(faults.map(([each]) => each)).toEqual([code])
    expect(written()).toHaveLength(0)
    flow.finish(closeFrame(1001, '', true))
    flow.take(frame(1, init))
    expect(readFrames(written()).frames.map(({ opcode }) => opcode)).toEqual([])
  })

  it('takes messages of the size that is allowed once it has been initialised', () => {
    const { flow, faults } = gated(200_000)
    flow.take(frame(1, init))
    flow.take(frame(1, JSON.stringify({ type: 'subscribe', payload: 'x'.repeat(190_000) })))
    expect(faults).toEqual([])
    flow.take(frame(1, JSON.stringify({ type: 'subscribe', payload: 'x'.repeat(200_000) })))
    expect(faults.map(([code]) => code)).toEqual([1009])
  })

  it('costs as much memory as has come, in however small pieces', () => {
    setFlagsFromString('--expose_gc')
    const collect = runInNewContext('gc') as () => void
    const held = (): number => {
      collect()
      const { heapUsed, external } = process.memoryUsage()
      return heapUsed + external
    }
    const size = 500_000
    const { flow, faults, written } = gated()
    flow.take(frame(1, init))
    const sent = frame(1, JSON.stringify({ type: 'subscribe', payload: 'x'.repeat(size) }))
    const before = held()
    for (let at = 0; at < sent.length - 1; at++) flow.take(sent.subarray(at, at + 1))
    expect(held() - before).toBeLessThan(4 * size)
    flow.take(sent.subarray(-1))
    expect(faults).toEqual([])
    expect(readFrames(written()).frames.at(-1)?.payload.equals(readFrames(sent).frames[0]!.payload)).toBe(true)
  })

  it('passes the close of the client on, and tells of it', () => {
    const watched = gated()
    watched.flow.take(frame(8, Buffer.from([0x03, 0xe8])))
    expect(closeOf(readFrames(watched.written()).frames[0]!)).toEqual([1000, ''])
    expect(watched.closings).toBe(1)
  })
})
