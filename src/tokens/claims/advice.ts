import { hasuraAdvice } from './advice_hasura.ts'
import { postgrestAdvice } from './advice_postgrest.ts'
import { isOutlineObject, outlineOf, outlineOfMapper, type Outline } from './outline.ts'

/** What is legal in claims but probably a mistake, or what a server that reads them would refuse. */
export interface Advice {
  readonly message: string
  /** To the value inside the claims. */
  readonly path: readonly (string | number)[]
  readonly hint: string
}

/** Claims that every token gets from Mintkeeper itself. */
const registered = ['exp', 'iat', 'iss', 'jti', 'nbf', 'sub']

/**
 * Looks at claims as the config has them: an object with Handlebars in its strings, or a Go template.
 * @param alg what the token is signed with
 */
export function adviceOn(claims: unknown, alg?: string): readonly Advice[] {
  const outline = outlineOf(claims)
  if (!isOutlineObject(outline)) return []
  const advice = adviceForServers(outline, alg)
  // Places inside a text cannot be told; and texts come from Oathkeeper, which overwrites the same claims without a word.
  if (typeof claims === 'string') return advice.map((each) => ({ ...each, path: [] }))
  const overwritten = registered
    .filter((name) => outline.members.has(name))
    .map((name) => ({
      message: `The claim ${name} is always set by Mintkeeper; what is written here has no effect`,
      path: [name],
      hint: 'Remove it, or use another name.',
    }))
  return [...overwritten, ...advice]
}

/**
 * Looks at the claims of a mapper in Jsonnet, which replace those that a token has anyway. Paths are empty.
 * @param alg what the token is signed with
 */
export function adviceOnMapper(source: string, alg?: string): readonly Advice[] {
  const outline = outlineOfMapper(source)
  if (!isOutlineObject(outline)) return []
  const { members } = outline
  const advice: Advice[] = []
  if (members.has('sub')) {
    const hint = 'Remove it, or set subject_source.'
    advice.push({ message: 'The claim sub stays as it is; what the mapper makes of it has no effect', path: [], hint })
  }
  for (const name of ['exp', 'iat', 'nbf']) {
    const value = members.get(name)
    if (value === undefined) continue
    advice.push({
      message: isWholeNumber(value)
        ? `The claim ${name} is the same in every token`
        : `The claim ${name} is no whole number of seconds: Hasura and PostgREST refuse such tokens`,
      path: [],
      hint: "Compute it from std.extVar('claims'), or leave it to Mintkeeper.",
    })
  }
  return [...advice, ...adviceForServers(outline, alg).map((each) => ({ ...each, path: [] }))]
}

const adviceForServers = (claims: Outline, alg: string | undefined): readonly Advice[] =>
  isOutlineObject(claims) ? [...hasuraAdvice(claims, alg), ...postgrestAdvice(claims)] : []

const isWholeNumber = (value: Outline): boolean => Number.isSafeInteger(value)
