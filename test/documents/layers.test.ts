import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeLayers } from '../../src/documents/layers.ts'
import type { Path } from '../../src/documents/problem.ts'

const layer = (name: string, value: unknown) => ({ value, locate: (path: Path) => `${name}:${path.join('.')}` })

describe('mergeLayers', () => {
  it('merges maps and replaces everything else', () => {
    const { value } = mergeLayers([
      layer('a', { map: { x: 1, y: 1 }, list: [1, 2, 3], scalar: 1, gone: { z: 1 } }),
      layer('b', { map: { y: 2 }, list: [9], scalar: null, gone: 'text' }),
    ])
    expect(value).toEqual({ map: { x: 1, y: 2 }, list: [9], scalar: null, gone: 'text' })
  })

  it('knows where each value comes from', () => {
    const { locate } = mergeLayers([
      layer('a', { map: { x: 1, y: { deep: 1 } }, list: [1, 2, 3] }),
      layer('b', { map: { y: { other: 1 } }, list: [9] }),
    ])
    expect(locate(['map', 'x'])).toBe('a:map.x')
    expect(locate(['map', 'y', 'deep'])).toBe('a:map.y.deep')
    expect(locate(['map', 'y', 'other'])).toBe('b:map.y.other')
    expect(locate(['list', 0])).toBe('b:list.0')
    expect(locate(['list', 2])).toBe('b:list')
    expect(locate(['map', 'missing', 'more'])).toBe('b:map')
  })

  it('lets an absent layer leave what is below it', () => {
    expect(mergeLayers([layer('a', { x: 1 }), layer('b', undefined)])).toMatchObject({ value: { x: 1 } })
    expect(mergeLayers([layer('a', { x: 1 }), layer('b', undefined)]).locate(['x'])).toBe('a:x')
    expect(mergeLayers([layer('a', undefined), layer('b', undefined)]).locate(['x'])).toBeUndefined()
  })

  it('takes a key named __proto__ for data', () => {
    const above: unknown = JSON.parse('{"__proto__": {"admin": true}}')
    const { value } = mergeLayers([layer('a', { x: 1 }), layer('b', above)])
    expect(Object.keys(value as object)).toEqual(['x', '__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect((value as { admin?: boolean }).admin).toBeUndefined()
  })

  it('does not change its layers', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()), (a, b) => {
        const before = JSON.stringify([a, b])
        const { value } = mergeLayers([layer('a', a), layer('b', b)])
        expect(JSON.stringify([a, b])).toBe(before)
        expect(Object.keys(value as object).sort()).toEqual([...new Set([...Object.keys(a), ...Object.keys(b)])].sort())
      }),
    )
  })
})
