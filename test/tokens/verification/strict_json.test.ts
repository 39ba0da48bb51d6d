import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStrictObject } from '../../../src/tokens/verification/strict_json.ts'

const parse = (text: string) => parseStrictObject(Buffer.from(text))

describe('a strict JSON object', () => {
  it.each([
    '{"sub":"alice","sub":"bob"}',
    String.raw`{"sub":"alice","s\u0075b":"bob"}`,
    '{"a":{"b":1,"c":[],"b":2}}',
    '{"a":[{"b":1 , "b" :2}]}',
    '{"exp":1e400}',
    '{"nbf":-1e400}',
    '{"a":[[1e999]]}',
    '["a"]',
    '"a"',
    'null',
    '',
    '{"a":1} x',
    '{"a":1,}',
    '\u{feff}{}',
    `{"a":${'['.repeat(64)}${']'.repeat(64)}}`,
  ])('is not %s', (text) => {
    expect(parse(text)).toBeUndefined()
  })

  it.each([
    '{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}',
    '{"a":["x","x"],"x":"a"}',
    String.raw`{"\"":1,"\\":"\\\":"}`,
    '{"a":1e300,"b":-0.5E-3}',
    ' {} ',
  ])('is %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  it('is not what is no UTF-8', () => {
    expect(parseStrictObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBeUndefined()
  })

  it('is every object that JSON.stringify writes', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })),
        fc.constantFrom(undefined, 2),
        (value, indent) => {
          const text = JSON.stringify(value, undefined, indent)
          expect(parse(text)).toEqual(JSON.parse(text))
        },
      ),
    )
  })

  it('names nothing twice, wherever it stands', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (value, pick) => {
        const names = Object.keys(value)
        const again = JSON.stringify(names[pick % names.length])
        const text = `${JSON.stringify(value).slice(0, -1)},${again}:1}`
        expect(parse(text)).toBeUndefined()
        expect(parse(`{"outer":[0,${text}]}`)).toBeUndefined()
      }),
    )
  })
})
