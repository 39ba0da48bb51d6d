import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { interpolate, readScalar } from '../../src/documents/interpolate.ts'

const env = { NAME: 'value', EMPTY: '', DOLLAR: '${NAME}' }

describe('interpolate', () => {
  it.each([
    ['${NAME}', 'value'],
    ['a-${NAME}-${NAME}', 'a-value-value'],
    ['${EMPTY}', ''],
    ['${EMPTY:-default}', 'default'],
    ['${MISSING:-}', ''],
    ['${MISSING:-http://x:1/}', 'http://x:1/'],
    ['$${NAME}', '${NAME}'],
    ['$$${NAME}', '$${NAME}'],
    ['${DOLLAR}', '${NAME}'],
  ])('%s becomes %s', (text, expected) => {
    expect(interpolate(text, env)).toEqual({ text: expected, missing: [] })
  })

  it.each([
    '^a${1,2}',
    '{{ print .Extra.name }}',
    '${lower}',
    '$NAME',
    '${}',
    '${NAME',
    '{"a": "{{json extra}}"}',
    '<^/a/[0-9]{2,}$>',
    '${NAME-default}',
  ])('%s stays as it is', (text) => {
    expect(interpolate(text, env)).toEqual({ text, missing: [] })
  })

  it('names what is not set', () => {
    expect(interpolate('${A} ${NAME} ${B}', env).missing).toEqual(['A', 'B'])
  })

  it('does not look into inherited properties', () => {
    expect(interpolate('${constructor:-x}${__proto__:-y}', {}).text).toBe('${constructor:-x}y')
  })

  it('leaves every text without a reference untouched', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/\$\{[A-Z_]/.test(text)),
        (text) => {
          expect(interpolate(text, env).text).toBe(text)
        },
      ),
    )
  })
})

describe('readScalar', () => {
  it('reads numbers and booleans only when they can be written back the same', () => {
    expect(['1', '-1.5', 'true', 'false'].map(readScalar)).toEqual([1, -1.5, true, false])
    const texts = ['', '01', '1e3', '0x1', ' 1', 'True', 'null', 'Infinity', 'NaN', '12345678901234567890', '1.0']
    expect(texts.map(readScalar)).toEqual(texts)
  })
})
