/** Requests that fit the rules of a scenario, or nearly, with the tricks that gateways have been fooled with. */
import type { Random } from '../random.ts'
import type { HeaderLine, Rule, TestRequest } from '../scenario.ts'
import type { Draw } from './handlers.ts'
import type { Pattern } from './patterns.ts'

/** Whom the session store knows; what it says of each stands in `session_answers.ts`. */
import { sessionNames } from '../services/session_answers.ts'

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'MKCOL']

const queries = [
  '',
  '',
  '',
  '?q=1',
  '?q=a+b%20c&q=2',
  '?b=2&a=1',
  '?token=alice',
  '?q=a;b=c',
  '?q=%zz',
  '?',
  '?q=caf%C3%A9&x',
  '?a=1&token=bob',
  '?q=<x>',
  '?=1&&',
]

const pathTricks: readonly ((path: string, random: Random) => string)[] = [
  (path) => `${path}/`,
  (path) => path.replace('/r', '//r'),
  (path) => `/x/..${path}`,
  (path) => `/%2e%2e${path}`,
  (path) => `${path}/./y`,
  (path) => `${path}/../admin`,
  (path) => path.replace('r', '%72'),
  (path) => `${path}%2Fencoded`,
  (path) => `${path}%2f..%2fadmin`,
  (path) => `${path}%5Cback`,
  (path) => `${path}%0A`,
  (path) => `${path};v=1`,
  (path) => `${path}%3Fq`,
  (path) => `${path}%25`,
  (path) => `${path}%zz`,
  (path) => `${path}/${'long'.repeat(300)}`,
  (path) => `${path}//double//`,
  (path) => `${path}/a%20b+c`,
  (path) => `${path}/%E2%98%83`,
  (path) => `${path}/..`,
  (path) => `${path}%C3%28`,
  (path) => `${path}/!$&'()*,=:@~`,
  (path) => path.toUpperCase(),
]

const hosts = [
  ...Array<string>(30).fill('gw.test'),
  'GW.test',
  'gw.test:80',
  'gw.test:8080',
  'api.test',
  'other.test',
  'gw.test.',
]

const clientHeaders: readonly (readonly HeaderLine[])[] = [
  [['X-Custom', 'one']],
  [['x-custom', 'lower']],
  [
    ['X-Custom', 'one'],
    ['X-Custom', 'two'],
  ],
  [['X-User', 'forged']],
  [
    ['x-user', 'forged'],
    ['Connection', 'x-user'],
  ],
  [
    ['Connection', 'X-Custom, close'],
    ['X-Custom', 'dropped'],
  ],
  [
    ['Connection', 'keep-alive'],
    ['Keep-Alive', 'timeout=5'],
  ],
  [
    ['Proxy-Authorization', 'Basic eDp5'],
    ['Proxy-Connection', 'keep-alive'],
  ],
  [['TE', 'trailers']],
  [['TE', 'gzip']],
  [['X-Empty', '']],
  [['X-Long', 'v'.repeat(5000)]],
  [['X-Odd_Name', 'underscore']],
  [['User-Agent', 'differential/1']],
  [['User-Agent', '']],
  [['Accept-Encoding', 'gzip, br']],
  [['X-Spaces', '  inner  space  ']],
  [['X-Bytes', 'caf\u00e9']],
  [['X-Request-Id', 'request-1']],
  [
    ['Accept-Language', 'de'],
    ['Accept-Language', 'en'],
  ],
  [['Referer', 'https://app.test/page?x=1']],
  [['Forwarded', 'for=1.2.3.4;proto=https']],
  [['X-Real-IP', '1.2.3.4']],
  [['Via', '1.1 front']],
  [
    ['Cache-Control', 'no-cache'],
    ['If-None-Match', '"x"'],
  ],
  [['Range', 'bytes=0-1']],
  [['Date', 'Sun, 06 Nov 1994 08:49:37 GMT']],
  [
    ['Upgrade', 'h2c'],
    ['Connection', 'Upgrade, HTTP2-Settings'],
    ['HTTP2-Settings', 'AAMAAABk'],
  ],
  [['Max-Forwards', '3']],
  [['X-Http-Method-Override', 'DELETE']],
]

const forwarded: readonly (readonly HeaderLine[])[] = [
  [['X-Forwarded-Proto', 'https']],
  [['X-Forwarded-Proto', 'HTTP']],
  [['X-Forwarded-Proto', 'ftp']],
  [['X-Forwarded-Host', 'api.test']],
  [['X-Forwarded-For', '1.2.3.4, 5.6.7.8']],
  [
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Host', 'gw.test'],
    ['X-Forwarded-For', '1.2.3.4'],
    ['X-Forwarded-Port', '80'],
  ],
  [['X-Forwarded-Method', 'POST']],
]

const accepts = [
  '*/*',
  'application/json',
  'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'text/html',
  'text/*',
  'text/html;q=0.1, application/json',
  'bad',
]

const contentTypes = [
  'application/json',
  'application/x-www-form-urlencoded',
  'text/plain; charset=utf-8',
  'multipart/form-data; boundary=x',
  '/;broken',
]

export interface PatternedRule {
  readonly rule: Rule
  readonly pattern: Pattern
}

/** One request; most fit a rule, its methods and the credentials that it asks for. */
export function makeRequest(draw: Draw, rules: readonly PatternedRule[]): TestRequest {
  const { random } = draw
  const plane = random.chance(25) ? 'decisions' : 'proxy'
  const { rule, pattern } = random.pick(rules)
  const plainPath =
    random.chance(88) || pattern.misses.length === 0 ? random.pick(pattern.fits) : random.pick(pattern.misses)
  const path = random.chance(14) ? random.pick(pathTricks)(plainPath, random) : plainPath
  const query = random.pick(queries)
  const method = random.chance(90) ? random.pick(rule.match.methods).toUpperCase() : random.pick(methods)
  const headers: HeaderLine[] = [['Host', random.pick(hosts)]]
  if (random.chance(90)) headers.push(...credentials(draw, rule))
  if (random.chance(60)) headers.push(['Accept', random.pick(accepts)])
  if (random.chance(30)) headers.push(...random.pick(clientHeaders))
  if (random.chance(12)) headers.push(...random.pick(forwarded))
  if (random.chance(20)) headers.push(...cors(random))
  if (random.chance(15))
    headers.push([
      'X-Stub-Answer',
      random.pick(['201', '204', '302', '304', '404', '500', 'cookies', 'hop', 'type', 'empty', 'error-id']),
    ])
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(method) ? random.chance(80) : random.chance(4)
  if (hasBody) headers.push(['Content-Type', random.pick(contentTypes)])
  const body = hasBody ? random.pick(['{"a":1}', 'a=1&token=alice', 'x'.repeat(3000), '']) : ''
  return { plane, method, ...address(random, plane, path, query, headers), body }
}

/** On the API plane a front proxy names the path in the URL or, as Traefik does, in headers. */
function address(
  random: Random,
  plane: TestRequest['plane'],
  path: string,
  query: string,
  headers: HeaderLine[],
): Pick<TestRequest, 'target' | 'headers'> {
  if (plane === 'proxy') return { target: path + query, headers }
  if (random.chance(70)) return { target: `/decisions${path}${query}`, headers }
  const [, host] = headers[0]!
  const described: HeaderLine[] = [
    ['Host', '127.0.0.1'],
    ...headers.slice(1),
    ['X-Forwarded-Uri', path + query],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Proto', random.pick(['http', 'http', 'https'])],
  ]
  if (random.chance(50)) described.push(['X-Forwarded-Method', random.pick(['GET', 'POST', 'DELETE'])])
  return { target: '/decisions', headers: once(described) }
}

/** Keeps the first line of each forwarded header. */
function once(headers: readonly HeaderLine[]): HeaderLine[] {
  const seen = new Set<string>()
  return headers.filter(([name]) => {
    const key = name.toLowerCase()
    if (!key.startsWith('x-forwarded-')) return true
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Mostly such as the rule can do something with, in one of the spellings that clients use. */
function credentials({ random, material }: Draw, rule: Rule): HeaderLine[] {
  const name = random.chance(78) ? 'alice' : random.pick(sessionNames)
  const token = random.pick(Object.values(material.tokens))
  const asks = JSON.stringify(rule.authenticators)
  if (asks.includes('"jwt"') && random.chance(60)) {
    return [
      ['Authorization', `Bearer ${token}`],
      ['X-Session-Token', token],
      ['Cookie', `session=${token}`],
    ]
  }
  if (asks.includes('session') && random.chance(50)) {
    return [
      ['Cookie', `session=${name}`],
      ['Authorization', `Bearer ${name}`],
      ['X-Session-Token', name],
    ]
  }
  return random.pick<() => HeaderLine[]>([
    () => [['Cookie', `session=${name}`]],
    () => [['Cookie', `session=${name}`]],
    () => [
      ['Cookie', `session=${name}`],
      ['Authorization', `Bearer ${name}`],
    ],
    () => [
      ['Cookie', `session=${name}`],
      ['Authorization', `Bearer ${name}`],
    ],
    () => [
      ['Cookie', `session=${name}`],
      ['X-Session-Token', name],
    ],
    () => [['Authorization', `Bearer ${name}`]],
    () => [['Cookie', `other=1; session=${name}; theme="dark"`]],
    () => [
      ['Cookie', `session=${name}`],
      ['Cookie', 'other=2'],
    ],
    () => [['Authorization', `Bearer ${name}`]],
    () => [['authorization', `bearer  ${name}`]],
    () => [['X-Session-Token', name]],
    () => [
      ['Cookie', `session=${name}`],
      ['Authorization', `Bearer ${token}`],
    ],
    () => [['Authorization', `Bearer ${token}`]],
    () => [['Authorization', `Bearer ${token}`]],
    () => [['X-Session-Token', token]],
    () => [['Cookie', `session=${token}`]],
    () => [
      [
        'Authorization',
        `Basic ${Buffer.from(random.pick(['client:secret', 'client:wrong', 'a%20b:c%3Ad', 'bad%zz:x', 'nobody', 'slow:down', 'broken:x'])).toString('base64')}`,
      ],
    ],
    () => [['Authorization', random.pick(['Bearer', 'Bearer ', 'Basic !!', 'Digest x', ''])]],
    () => [
      [
        'Cookie',
        random.pick(['bad cookie', '=x', 'session=', 'session="alice"', 'a=b;session=alice', 'session=a,b', '']),
      ],
    ],
  ])()
}

const cors = (random: Random): HeaderLine[] => [
  [
    'Origin',
    random.pick([
      'https://app.test',
      'https://a.app.test',
      'https://evilapp.test',
      'https://x.example.com',
      'https://a.b.example.com',
      'HTTPS://APP.TEST',
      'null',
    ]),
  ],
  ...(random.chance(60)
    ? [['Access-Control-Request-Method', random.pick(['GET', 'PUT', 'put', 'TRACE'])] as const]
    : []),
  ...(random.chance(40)
    ? [
        [
          'Access-Control-Request-Headers',
          random.pick(['authorization', 'content-type,x-custom', 'X-Custom, Authorization', 'x-evil']),
        ] as const,
      ]
    : []),
]
