/** The same templates, keys and sessions, asked of a real Kratos and of Mintkeeper: the tokens and the refusals must agree. */
import { isDeepStrictEqual } from 'node:util'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { createGateway } from '../../src/index.ts'
import { ProblemsError } from '../../src/documents/problem.ts'
import type { JsonObject } from '../../src/pipeline/contract/values.ts'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { startKratos, type Kratos } from './kratos.ts'
import { ask, createPerson, loginWithToken, type Answer, textOf } from './people.ts'
import { expressions, otherwise } from './expressions.ts'
import type { Report } from './report.ts'
import { cases, inline, templateOf, type Case } from './templates.ts'

type Outcome =
  | { readonly header: object; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly status: number; readonly reason: string }
  | { readonly refusedAtLoad: string }

/** Made anew for each token, or by the clock. */
const CLOCK: ReadonlySet<string> = new Set(['iat', 'nbf', 'exp'])
const SECONDS = 5

export async function compareTokenizers(binary: string, folder: string, report: Report): Promise<void> {
  report.heading('Tokenizer templates')
  const all = [...(await cases()), ...expressions.map((expression) => caseOf(expression))]
  const usual = inline(await generateKeySet({ alg: 'ES256', kid: 'usual' }))
  const templates = Object.fromEntries(all.map((each, index) => [`t${index}`, templateOf(each, usual)]))
  await using kratos = await startKratos({
    binary,
    folder,
    ui: 'http://127.0.0.1:9',
    session: { whoami: { tokenizer: { templates } } },
  })
  const known = await loginWithToken(
    kratos.publicUrl,
    await createPerson(kratos.adminUrl, { external_id: 'customer-17' }),
  )
  const plain = await loginWithToken(kratos.publicUrl, await createPerson(kratos.adminUrl))
  const counts: Counts = { tokens: 0, refusals: 0, atLoad: 0, differences: 0 }
  for (const [index, each] of all.entries()) {
    const token = each.plainPerson === true ? plain : known
    const theirs = outcomeOf(await whoami(kratos.publicUrl, `t${index}`, token))
    const ours = await ourOutcome(kratos, `t${index}`, templates[`t${index}`]!, token)
    judge(each, theirs, ours, report, counts)
  }
  const unknown = outcomeOf(await whoami(kratos.publicUrl, 'nobody', known))
  judge(
    { name: 'a template that nobody made' },
    unknown,
    await ourOutcome(kratos, 'other', { jwks_url: usual }, known, 'nobody'),
    report,
    counts,
  )
  report.note(
    `${counts.tokens} tokens and ${counts.refusals} refusals alike, ${counts.atLoad} refused at load, ${counts.differences} deliberate differences`,
  )
}

function caseOf(expression: string): Case {
  const difference = otherwise[expression]
  return {
    name: `claims: ${expression}`,
    mapper: `{ claims: { value: ${expression}\n } }`,
    ...(difference !== undefined && { difference }),
  }
}

const whoami = (base: string, template: string, token: string): Promise<Answer> =>
  ask(`${base}sessions/whoami?tokenize_as=${template}`, { headers: { 'x-session-token': token } })

function outcomeOf({ status, json }: Answer): Outcome {
  if (status === 200) {
    const token = textOf(json['tokenized'])
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) }
  }
  return { status, reason: textOf((json['error'] as JsonObject | undefined)?.['reason']) }
}

/** A gateway for this template alone: a bad one would keep the others from being served. */
async function ourOutcome(
  kratos: Kratos,
  name: string,
  template: object,
  token: string,
  asked = name,
): Promise<Outcome> {
  const port = { host: '127.0.0.1', port: 0 }
  try {
    const gateway = await createGateway({
      configFiles: [],
      env: {},
      logTarget: { write: () => undefined },
      base: {
        profile: 'secure',
        safeguards: { token_backdate: 0 },
        serve: { proxy: port, api: port, prometheus: port },
        kratos: { public_url: kratos.publicUrl },
        session: {
          whoami: { tokenizer: { templates: { [name]: JSON.parse(JSON.stringify(template)) as JsonObject } } },
        },
        access_rules: { repositories: [inlineRules] },
      },
    })
    try {
      const { api } = await gateway.listen()
      return outcomeOf(await whoami(`http://127.0.0.1:${api.port}/`, asked, token))
    } finally {
      await gateway.close(0)
    }
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error
    return { refusedAtLoad: error.problems.find(({ severity }) => severity === 'error')?.message ?? error.message }
  }
}

const inlineRules = `inline://${Buffer.from('[]').toString('base64')}`

interface Counts {
  tokens: number
  refusals: number
  atLoad: number
  differences: number
}

function judge({ name, difference }: Case, theirs: Outcome, ours: Outcome, report: Report, counts: Counts): void {
  if (difference !== undefined) {
    counts.differences++
    report.check(`${name}: ${difference}`, isDeepStrictEqual(classOf(ours, theirs), classOf(theirs, theirs)), false)
  } else if ('refusedAtLoad' in ours) {
    // Its author sees it before any client does.
    counts.atLoad++
    report.check(`${name}: ${told(theirs)}; here ${told(ours)}`, 'status' in theirs, true)
  } else {
    counts['claims' in theirs ? 'tokens' : 'refusals']++
    report.check(`${name}: ${told(theirs)}`, classOf(ours, theirs), classOf(theirs, theirs))
  }
}

/** What of an outcome has to agree: header and claims, or the status and, where Kratos gives one, the reason. */
function classOf(outcome: Outcome, theirs: Outcome): object {
  if ('claims' in outcome) return comparable(outcome, 'claims' in theirs ? theirs.claims : {})
  if ('refusedAtLoad' in outcome) return outcome
  return 'reason' in theirs && theirs.reason === '' ? { status: outcome.status } : outcome
}

/** Without what no two tokens share; times as they lie to Kratos'. */
function comparable(outcome: Extract<Outcome, { claims: object }>, theirs: Readonly<Record<string, unknown>>): object {
  const entries = Object.entries(outcome.claims).map(([name, value]) => {
    if (CLOCK.has(name)) {
      const there = theirs[name]
      const near = typeof value === 'number' && typeof there === 'number' && Math.abs(value - there) <= SECONDS
      return [name, near ? there : value]
    }
    return [name, name === 'jti' && /^[0-9a-f-]{36}$/.test(String(value)) ? 'a UUID' : value]
  })
  // Through JSON, in which -0 is 0.
  return JSON.parse(
    JSON.stringify({
      header: outcome.header,
      claims: Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))),
    }),
  ) as object
}

function told(outcome: Outcome): string {
  if ('refusedAtLoad' in outcome) return `refused at load (${outcome.refusedAtLoad.split('\n')[0]})`
  return 'status' in outcome ? `${outcome.status} ${outcome.reason}` : 'a token'
}
