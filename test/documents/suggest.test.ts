import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closest } from '../../src/documents/suggest.ts'

describe('closest', () => {
  const keys = ['authenticators', 'authorizers', 'mutators', 'only', 'serve', 'log']

  it.each([
    ['autenticators', 'authenticators'],
    ['authorisers', 'authorizers'],
    ['onyl', 'only'],
    ['ONLY', 'only'],
    ['sevre', 'serve'],
    ['lgo', 'log'],
    ['tracing', undefined],
    ['x', undefined],
    ['', undefined],
  ])('%s means %s', (word, expected) => {
    expect(closest(word, keys)).toBe(expected)
  })

  it('finds a word in which two neighbours are swapped', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(), (word, seed) => {
        const at = seed % (word.length - 1)
        const swapped = word.slice(0, at) + word.charAt(at + 1) + word.charAt(at) + word.slice(at + 2)
        expect(closest(swapped, [word])).toBe(word)
      }),
    )
  })
})
