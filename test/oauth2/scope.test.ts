import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scopeStrategy, splitScope } from '../../src/oauth2/scope.ts'
import { vectors } from '../rules/vectors.ts'

type Name = Parameters<typeof scopeStrategy>[0]

const covers = (name: Name, granted: readonly string[], required: string): boolean | undefined =>
  scopeStrategy(name)?.(granted, required)

describe('scope_strategy', () => {
  it.each(vectors('scope_strategy'))('$id', ({ given, when, expect: wanted }) => {
    expect(covers(given['strategy'] as Name, given['granted'] as string[], when['required'] as string)).toBe(
      wanted['granted'],
    )
  })

  it.each([
    ['hierarchic', 'foo', 'foo.bar.baz', true],
    ['hierarchic', 'foo.bar', 'foo', false],
    ['wildcard', 'foo.*', 'foo.bar.baz', true],
    ['wildcard', 'foo.*.baz', 'foo.bar.baz', true],
    ['wildcard', 'foo.*.baz', 'foo.bar.baz.more', false],
    ['wildcard', 'foo.*', 'foo.', false],
    ['wildcard', 'foo', 'foo.bar', false],
    ['wildcard', 'foo.bar', 'foo.bar', true],
    ['exact', 'foo.*', 'foo.bar', false],
  ] as const)('%s: %s covers %s: %s', (name, granted, required, expected) => {
    expect(covers(name, [granted], required)).toBe(expected)
    expect(covers(name, ['other', granted], required)).toBe(expected)
  })

  it('none compares nothing', () => {
    expect(scopeStrategy('none')).toBeUndefined()
  })

  const scope = fc
    .array(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('.'))

  it('every strategy grants a scope without wildcards to itself, and nothing to nobody', () => {
    fc.assert(
      fc.property(scope, fc.constantFrom('exact', 'hierarchic', 'wildcard'), (required, name) => {
        expect(covers(name, [required], required)).toBe(true)
        expect(covers(name, [], required)).toBe(false)
      }),
    )
  })
})

it('a scope value is split at spaces', () => {
  expect(splitScope(' a  b.c ')).toEqual(['a', 'b.c'])
  expect(splitScope('')).toEqual([])
})
