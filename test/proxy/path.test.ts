import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { canonicalPath, encodePath } from '../../src/proxy/path.ts'
import type { CanonicalPath } from '../../src/proxy/path.ts'

type Mode = 'refuse' | 'resolve'

const canonical = (raw: string, mode: Mode): CanonicalPath => {
  const result = canonicalPath(raw, mode)
  if (result instanceof GatewayError) throw result
  return result
}
const reason = (raw: string, mode: Mode): string | undefined => {
  const result = canonicalPath(raw, mode)
  return result instanceof GatewayError ? result.reason : undefined
}

describe('in both modes', () => {
  it.each<Mode>(['refuse', 'resolve'])('%s: an ordinary path is itself', (mode) => {
    expect(canonical('/', mode)).toEqual({ path: '/', target: '/' })
    expect(canonical('/a/b.c', mode)).toEqual({ path: '/a/b.c', target: '/a/b.c' })
    expect(canonical("/a-._~!$&'()*+,=:@", mode).target).toBe("/a-._~!$&'()*+,=:@")
    expect(canonical('/...', mode).path).toBe('/...')
  })

  it.each<Mode>(['refuse', 'resolve'])('%s: matched without the trailing slash, forwarded with it', (mode) => {
    expect(canonical('/a/', mode)).toEqual({ path: '/a', target: '/a/' })
  })

  it.each<Mode>(['refuse', 'resolve'])('%s: decoded once for matching, forwarded as it came', (mode) => {
    expect(canonical('/%61%20%C3%BC', mode)).toEqual({ path: '/a ü', target: '/%61%20%C3%BC' })
  })

  it.each([
    ['/a%5cb', 'backslash'],
    [String.raw`/a\b`, 'forbidden'],
    ['/a%00', 'control'],
    ['/a%0d%0aX', 'control'],
    ['/a%7f', 'control'],
    ['/a\u0001', 'forbidden'],
    ['/a b', 'forbidden'],
    ['/ä', 'forbidden'],
    ['/a%', 'incomplete'],
    ['/a%2', 'incomplete'],
    ['/%zz', 'incomplete'],
    ['/%u002e', 'incomplete'],
    ['/%c0%ae%c0%ae/', 'UTF-8'],
    ['/%ff', 'UTF-8'],
    ['/%ed%a0%80', 'UTF-8'],
    ['', 'slash'],
    ['a', 'slash'],
    ['*', 'slash'],
    [`/${'a'.repeat(4096)}`, '4096'],
  ])('%j is refused', (raw, why) => {
    expect(reason(raw, 'refuse')).toContain(why)
    expect(reason(raw, 'resolve')).toContain(why)
  })
})

describe('refuse', () => {
  it.each([
    '/a/../b',
    '/a/..',
    '/..',
    '/.',
    '/./a',
    '//',
    '//a',
    '/a//b',
    '/a//',
    '/a/%2e%2e/b',
    '/%2E./b',
    '/a%2eb',
    '/a%2fb',
    '/a%2Fb',
    '/a%252e',
    '/a%3bb',
    '/a%3fb',
    '/a%23b',
    '/a;b',
    '/a#b',
    '/a<b',
    '/a"b',
    '/a{b}',
    '/a|b',
    '/a^b',
    '/a`b',
    '/%ef%bc%8e%ef%bc%8e/admin',
    '/%e2%80%ae',
    '/%ef%bc%8fadmin',
    '/%c2%85',
  ])('%j', (raw) => {
    expect(reason(raw, 'refuse')).toBeDefined()
  })
})

describe('resolve', () => {
  it.each([
    ['/a/../b', '/b', '/b'],
    ['/a/..', '/', '/'],
    ['/..', '/', '/'],
    ['/../../x', '/x', '/x'],
    ['/a/.', '/a', '/a'],
    ['/a//b/./c/../d', '/a/b/d', '/a/b/d'],
    ['//', '/', '/'],
    ['//evil.example/x', '/evil.example/x', '/evil.example/x'],
    ['/a//', '/a', '/a/'],
    ['/a/%2e%2e/b/', '/b', '/b/'],
    ['/public%2f..%2fadmin', '/admin', '/admin'],
    ['/a%2Fb', '/a/b', '/a/b'],
    ['/a%2f', '/a', '/a/'],
    ['/a%252e%252e/b', '/a%2e%2e/b', '/a%252e%252e/b'],
    ['/a;b/../c;d', '/c;d', '/c;d'],
    ['/a%3fb/../%3f%23%25', '/?#%', '/%3F%23%25'],
    ['/a#b', '/a#b', '/a%23b'],
    ['/%C3%BC//', '/ü', '/%C3%BC/'],
  ] as [string, string, string][])('%j is %j and goes out as %j', (raw, path, target) => {
    expect(canonical(raw, 'resolve')).toEqual({ path, target })
  })
})

/** Raw paths made of what paths and attacks on them are made of. */
const rawPath = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('/', '/', '.', '..', 'a', 'B', 'public', 'admin', '~', ':', '@') },
      fc.constantFrom(
        '%2f',
        '%2e',
        '%2E',
        '%5c',
        '%25',
        '%252e',
        '%3b',
        '%3f',
        '%23',
        '%00',
        '%20',
        '%61',
        '%c3%bc',
        '%ff',
      ),
      fc.constantFrom(';', '#', '\\', '%', '%u', '<', ' ', 'ü', '%ef%bc%8e'),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => `/${parts.join('')}`)

const withoutSlash = (path: string): string => (path === '/' ? path : path.replace(/\/$/, ''))

describe.each<Mode>(['refuse', 'resolve'])('%s, for any path', (mode) => {
  it('what is forwarded decodes to what is matched, whatever is decoded or resolved once more', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const result = canonicalPath(raw, mode)
        if (result instanceof GatewayError) return
        const { path, target } = result
        expect(withoutSlash(decodeURIComponent(target))).toBe(path)
        // A reader that resolves dot segments, as URL does, comes to the same path.
        expect(withoutSlash(decodeURIComponent(new URL(`http://h${target}`).pathname))).toBe(path)
        expect(target).toMatch(/^\/[\x21-\x7e]*$/)
        expect(target).not.toMatch(/[\\#?]|\/\//)
        expect(path.split('/')).not.toContain('..')
      }),
      { numRuns: 5000 },
    )
  })

  it('a canonical path stays as it is', () => {
    fc.assert(
      fc.property(rawPath, (raw) => {
        const result = canonicalPath(raw, mode)
        if (result instanceof GatewayError) return
        expect(canonicalPath(result.target, mode)).toEqual(result)
      }),
      { numRuns: 5000 },
    )
  })
})

it('resolve accepts whatever refuse accepts, and says the same of it', () => {
  fc.assert(
    fc.property(rawPath, (raw) => {
      const strict = canonicalPath(raw, 'refuse')
      fc.pre(!(strict instanceof GatewayError))
      expect(canonicalPath(raw, 'resolve')).toEqual(strict)
    }),
    { numRuns: 5000 },
  )
})

it('encodePath is undone by decoding', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed()),
      (text) => {
        expect(decodeURIComponent(encodePath(text))).toBe(text)
        expect(encodePath(text)).toMatch(/^[\x21-\x7e]*$/)
      },
    ),
  )
})
