/**
 * Where each case of the catalogues is tried. A file counts for a case when it names the case, or asks for the whole class
 * or group that the case belongs to; what is not tried is named with its reason.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { cases } from './setup.ts'

const root = path.join(import.meta.dirname, '..')
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8')

/** Files that try every case of a class, for those of it that are not named below. */
const classes: Readonly<Record<string, readonly string[]>> = {
  'path-normalization': ['security/wire.test.ts', 'security/targets.test.ts'],
  'authority-confusion': ['security/wire.test.ts'],
  'forwarded-header-spoofing': ['security/wire.test.ts'],
  'header-smuggling': ['security/wire.test.ts', 'security/mutators.test.ts'],
  'request-smuggling': ['security/wire.test.ts', 'security/corpus.test.ts'],
  'response-desync': ['security/wire.test.ts'],
  methods: ['security/wire.test.ts'],
  'cookies-csrf': ['security/wire.test.ts'],
  'decisions-endpoint': ['api/security.test.ts'],
  'leakage-admin': ['api/security.test.ts', 'cli/serve.test.ts'],
  websocket: ['websocket/catalogue.test.ts'],
  http2: ['proxy/http2.test.ts'],
  jwt: ['security/tokens.test.ts', 'security/wycheproof.test.ts'],
  'cache-confusion': ['security/sessions.test.ts', 'security/session_cache.test.ts', 'tokens/mint.test.ts'],
  'claims-template-injection': ['security/mutators.test.ts', 'tokens/claims/handlebars.test.ts'],
  'rule-engine': ['security/rules.test.ts', 'security/sessions.test.ts', 'rules/security.test.ts'],
  'error-handler': ['security/rules.test.ts', 'security/tokens.test.ts'],
  reliability: [
    'security/reliability.test.ts',
    'security/sessions.test.ts',
    'security/rules.test.ts',
    'gateway.test.ts',
  ],
}

/** Classes of which a file says itself that it tries all of their cases. */
const whole: Readonly<Record<string, RegExp>> = {
  'security/wire.test.ts':
    /'(path-normalization|authority-confusion|forwarded-header-spoofing|header-smuggling|request-smuggling|methods|cookies-csrf|response-desync)'/g,
  'api/security.test.ts': /'(decisions-endpoint)'/g,
  'websocket/catalogue.test.ts': /'(websocket)'/g,
  'security/tokens.test.ts': /'(jwt)'/g,
  'tokens/claims/handlebars.test.ts': /'(claims-template-injection)'/g,
}

/** Tried by a test that does not say the name of the case. */
const byAnotherName: Readonly<Record<string, readonly [file: string, test: string]>> = {
  'rel-027': ['proxy/forward.test.ts', 'goes no faster than the upstream takes it'],
  'rel-029': ['cli/serve.test.ts', 'goes on accepting while it drains after SIGTERM, and says that it is not ready'],
  'rel-038': ['tokens/verification/keys.test.ts', 'that is out of reach gives the keys it had, for an hour'],
  'rel-046': [
    'proxy/forward.test.ts',
    'that is slow costs others nothing: what waits for it is bounded and refused at once',
  ],
  'tpl-012': ['security/hostile.test.ts', 'end at their limits while other requests go on'],
}

/** What is not tried by a test, and why. */
const untried: Readonly<Record<string, string>> = {
  'rel-041': 'needs a resolver that changes its mind; connections are not kept for longer than five minutes',
  'rel-042': 'needs a resolver that hangs; the time to connect, which includes the look-up, is limited',
  'rel-045': 'takes an hour and is done by hand',
}

/** What is done otherwise than the catalogue proposes, beyond the answers that it accepts. */
const otherwise: Readonly<Record<string, string>> = {
  'jwt-025': 'a head of more than 16 KiB ends with 431 before a token is looked for',
  'rel-016': 'the limit is 120 s unless the config or the rule says otherwise',
  'rel-026': 'there is no limit unless one is set',
  'rel-039': 'tokens are back-dated by 5 s unless `safeguards.token_backdate` says otherwise',
  'err-008': 'with 401; the token is not looked at where no authenticator takes one',
}

function isTried(id: string, kind: string): boolean {
  return (classes[kind] ?? []).some((file) => {
    // A list of exceptions names cases without trying them.
    const [list = ''] = /const alone = new Set\([^)]*\)/.exec(text(file)) ?? []
    const source = text(file).replace(list, '')
    if (new RegExp(`\\b${id}\\b`).test(source)) return true
    return !list.includes(id) && [...source.matchAll(whole[file] ?? /(?!)/g)].some(([, asked]) => asked === kind)
  })
}

describe('the catalogue of attacks', () => {
  it('has these classes', () => {
    expect(Object.keys(classes).toSorted()).toEqual([...new Set(cases.map((one) => one.class))].toSorted())
  })

  it.each(Object.keys(classes))('%s: every case is tried, or named', (kind) => {
    const missing = cases.filter(
      ({ id, class: own }) => own === kind && !(id in untried) && !(id in byAnotherName) && !isTried(id, kind),
    )
    expect(missing.map(({ id }) => id)).toEqual([])
  })

  it.each(Object.entries(byAnotherName))('%s is tried by a test that is there', (_, [file, test]) => {
    expect(text(file)).toContain(`'${test}'`)
  })

  it('names no case that is not in it, and none as untried that is tried', () => {
    const known = new Set(cases.map(({ id }) => id))
    const named = [byAnotherName, untried, otherwise].flatMap((table) => Object.keys(table))
    expect(named.filter((id) => !known.has(id))).toEqual([])
    const tried = cases.filter((one) => one.id in untried && isTried(one.id, one.class))
    expect(tried).toEqual([])
  })
})

describe('what sessions of Kratos do, and those around it', () => {
  interface Case {
    readonly id: string
    readonly group: string
  }
  const read = (name: string): readonly Case[] =>
    JSON.parse(readFileSync(path.join(root, 'vectors', name), 'utf8')) as readonly Case[]

  /** The files that try a group; by its name when they ask for all of it. */
  const groups: Readonly<Record<string, readonly string[]>> = {
    whoami_responses: ['demo/vectors.ts', 'demo/stand_in_whoami.test.ts', 'sessions/kratos.test.ts'],
    revocation: ['demo/stand_in_sessions.test.ts'],
    session_extend: ['demo/stand_in_sessions.test.ts'],
    aal: ['demo/stand_in_sessions.test.ts'],
    client_ip: ['demo/stand_in_sessions.test.ts'],
    hydra: ['security/tokens.test.ts'],
    oathkeeper_quickstart: ['quickstart/quickstart.test.ts'],
  }
  const notOurs: Readonly<Record<string, string>> = {
    'hydra/prefixes':
      'how Hydra and Kratos begin their tokens: an example of `prefix`, and nothing that is decided here',
    'extend/privileged': 'when Kratos asks for the password again, which it decides by itself',
  }

  // The other groups of kratos.json are about tokens and `ory proxy`, and counted where those are tried.
  const all = [...read('kratos.json').filter(({ group }) => group in groups), ...read('kratos-extra.json')]
  it.each(Object.keys(groups))('%s: every case is tried, or named', (group) => {
    const sources = groups[group]!.map(text)
    const missing = all.filter(({ id, group: own }) => {
      if (own !== group || id in notOurs) return false
      return !sources.some((source) => source.includes(`'${group}'`) || source.includes(id))
    })
    expect(missing.map(({ id }) => id)).toEqual([])
  })

  it('has these groups', () => {
    expect(Object.keys(groups).toSorted()).toEqual([...new Set(all.map(({ group }) => group))].toSorted())
  })
})
