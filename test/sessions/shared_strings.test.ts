import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Json } from '../../src/pipeline/contract/values.ts'
import { createStringSharing } from '../../src/sessions/shared_strings.ts'

it('leaves every document what it was', () => {
  const share = createStringSharing()
  fc.assert(
    fc.property(fc.json({ maxDepth: 30 }), (text) => {
      const document = JSON.parse(text) as Json
      share(document)
      expect(document).toEqual(JSON.parse(text))
    }),
  )
})

it('leaves the shape of objects alone, and survives what is nested deeply', () => {
  const share = createStringSharing()
  const text = `{"__proto__":{"a":"b"},"constructor":"c","list":["b",${'['.repeat(1000)}${']'.repeat(1000)}]}`
  const document = JSON.parse(text) as Json
  share(document)
  expect(JSON.stringify(document)).toBe(text)
  expect(Object.getPrototypeOf(document)).toBe(Object.prototype)
})
