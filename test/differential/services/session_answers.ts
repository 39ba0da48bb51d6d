/** What the session store says of each credential: sessions of many shapes, refusals, and what is neither. */
export interface SessionAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

const json = (value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): SessionAnswer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
})

const extra = {
  name: 'Alice',
  role: 'editor',
  email: 'alice@example.test',
  count: 42,
  million: 1_000_000,
  big: 1_657_000_000,
  huge: 12_345_678_901_234,
  ratio: 0.1,
  negative: -2.5,
  flag: true,
  nil: null,
  empty: '',
  list: ['a', 'b', 3],
  numbers: [1, 2.5, 1e21],
  nested: { city: 'Berlin', zip: 10115, deep: { n: 1 } },
  quote: 'say "hi", \\ and {{ .Subject }}',
  angle: '<a href="x">&',
  unicode: 'ünï☃😀',
}

const identity = { id: 'id-alice', traits: { email: 'alice@example.test', name: { first: 'Al', last: 'Ice' } } }
const alice = { subject: 'alice', sub: 'alice-sub', active: true, extra, identity }

const limits = { 'retry-after': '7', 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '7' }

const aal2 = {
  error: {
    id: 'session_aal2_required',
    code: 403,
    status: 'Forbidden',
    reason: 'second factor',
    message: 'Session does not fulfill',
  },
  redirect_browser_to: 'https://kratos.test/aal2',
}

const answers: Readonly<Record<string, SessionAnswer>> = {
  alice: json(alice),
  guest: json({ subject: 'guest', sub: 'guest', extra: null }),
  bob: json({ subject: 'bob', sub: 'bob', extra: { name: 'Bob', list: [], count: '7', ratio: 2 } }),
  empty: json({}),
  numeric: json({ ...alice, subject: 5, sub: 5 }),
  'null-subject': json({ subject: null, sub: null, extra: {} }),
  'odd-extra': json({ subject: 'odd', sub: 'odd', extra: 'text' }),
  'control-subject': json({ subject: 'line\nbreak', sub: 'tab\tbed', extra }),
  'unicode-subject': json({ subject: 'zoë☃', sub: 'zoë', extra }),
  list: json([1, 2]),
  'no-body': { status: 200, body: '' },
  page: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>log in</html>' },
  half: { status: 200, headers: { 'content-type': 'application/json' }, body: '{"subject":"ha' },
  'new-cookie': json(alice, 200, { 'set-cookie': 'session=fresh; Path=/' }),
  created: json(alice, 201),
  'no-content': { status: 204, body: '' },
  moved: { status: 302, headers: { location: '/session-moved' }, body: '' },
  bad: json({ error: 'bad' }, 400),
  expired: json({ error: { code: 401 } }, 401),
  forbidden: json({ error: { code: 403 } }, 403),
  aal2: json(aal2, 403),
  missing: json({ error: { code: 404 } }, 404),
  limited: json({ error: { code: 429 } }, 429, limits),
  broken: json({ error: { code: 500 } }, 500),
  down: json({ error: { code: 503 } }, 503),
}

export const sessionNames: readonly string[] = Object.keys(answers)

export const moved: SessionAnswer = json(alice)

/** The answer for a credential; 401 for one that nobody knows. */
export function sessionAnswer(name: string): SessionAnswer {
  return Object.hasOwn(answers, name) ? answers[name]! : json({ error: { code: 401 } }, 401)
}
