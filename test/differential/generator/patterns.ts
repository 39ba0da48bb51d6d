/** URL patterns, each with paths that fit it and paths that nearly do. */
import type { Random } from '../random.ts'

export type Strategy = 'regexp' | 'glob'

export interface Pattern {
  /** What stands in `match.url`. */
  readonly url: string
  readonly fits: readonly string[]
  readonly misses: readonly string[]
}

type Tail = readonly [tail: string, fits: readonly string[], misses: readonly string[]]

const regexpTails: readonly Tail[] = [
  ['', [''], ['/', '/x', 'x']],
  ['/literal', ['/literal'], ['/literal/', '/Literal', '/literal/x']],
  ['/<.*>', ['/', '/a', '/a/b/c', '/%7Euser', '/a%20b', '/a+b', '/caf%C3%A9'], ['']],
  ['<(/.*)?>', ['', '/', '/deep/er'], ['x']],
  ['/<[0-9]+>', ['/0', '/12345'], ['/', '/12a', '/٣']],
  ['/<\\d+>/x', ['/1/x', '/%D9%A3/x'], ['/1/y', '/x']],
  ['/<(?!admin).*>', ['/user', '/', '/xadmin'], ['/admin', '/admin/x', '/administrator']],
  ['/<(?=.*ok)[a-z]+>', ['/ok', '/itisok'], ['/no', '/ok1']],
  ['/<(a|b|cc)>/<(x(y)?)>', ['/a/x', '/cc/xy'], ['/c/x', '/a/y']],
  ['/<(?<name>[a-z]+)>/<(\\d+|new)>', ['/user/7', '/user/new'], ['/User/7', '/user/']],
  ['/<(?P<first>[a-z])(?P<second>[a-z])>', ['/ab'], ['/abc', '/a']],
  ['/<(?i)foo(?-i)bar>', ['/foobar', '/FOObar'], ['/fooBAR']],
  ['/<([a-z])\\1>', ['/aa', '/zz'], ['/ab']],
  ['/<[[:alpha:]]+>', ['/abc', '/ABC'], ['/abc1', '/%C3%A9']],
  ['/<\\w+>', ['/under_score', '/%C3%A9'], ['/a-b']],
  ['/<[a-z-[aeiou]]+>', ['/xyz'], ['/xaz']],
  ['/<.+?>/<.*>', ['/a/b', '/a/b/c', '/a/'], ['/a']],
  ['/<[^/]+>', ['/one', '/a%20b'], ['/one/two', '/']],
  ['/<>end', ['/end'], ['/xend']],
  ['/a.b', ['/a.b'], ['/axb']],
  ['/<a{2,3}>', ['/aa', '/aaa'], ['/a', '/aaaa']],
]

const globTails: readonly Tail[] = [
  ['', [''], ['/', '/x']],
  ['/literal', ['/literal'], ['/literal/', '/LITERAL']],
  ['/<*>', ['/', '/a', '/a-b'], ['/a/b', '/a.b']],
  ['/<**>', ['/', '/a', '/a/b.c/d'], ['']],
  ['/<?>', ['/a', '/%C3%A9'], ['/', '/ab']],
  ['/<{foo,bar}>', ['/foo', '/bar'], ['/baz', '/foobar']],
  ['/<{foo,bar*}>/x', ['/foo/x', '/barbaz/x'], ['/foo', '/bar/y']],
  ['/<[abc]>', ['/a', '/c'], ['/d', '/ab']],
  ['/<[!abc]>', ['/d'], ['/a']],
  ['/<[a-f]*>', ['/a', '/face'], ['/x', '/']],
  ['/<[0-9]*>/y', ['/1/y', '/1x/y'], ['/x1/y']],
  ['/<m[!a,o,u]n>', ['/min', '/men'], ['/man', '/moon']],
  ['<{,/**}>', ['', '/x/y'], ['x']],
  ['/a.b', ['/a.b'], ['/axb']],
]

const authorities = {
  regexp: ['http://gw.test', 'http://gw.test', '<http|https>://gw.test', 'http://<gw|api>.test', 'http://<[^/]+>'],
  glob: ['http://gw.test', 'http://gw.test', '<{http,https}>://gw.test', '<http*>://gw.test', 'http://<{gw,api}>.test'],
} as const

/** A pattern below a folder that nobody else uses, such as `/r3`. */
export function makePattern(random: Random, strategy: Strategy, folder: string): Pattern {
  const [tail, fits, misses] = random.pick(strategy === 'regexp' ? regexpTails : globTails)
  return {
    url: random.pick(authorities[strategy]) + folder + tail,
    fits: fits.map((path) => folder + path),
    misses: misses.map((path) => folder + encodeNonAscii(path)),
  }
}

const encodeNonAscii = (path: string): string => path.replace(/[^\x20-\x7e]/gu, (char) => encodeURIComponent(char))
