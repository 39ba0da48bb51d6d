/** What a rule must have beside the right types. */
import type { Locate, Path, Problem } from '../documents/problem.ts'
import type { ruleSchema } from './rule.ts'
import { upstreamUrlFault } from './upstream_url.ts'

type Shape = typeof ruleSchema.shape
/** A rule of which every part is of the right type, and any may be missing. */
export type RawRule = Partial<{ [Key in keyof Shape]: NonNullable<ReturnType<Shape[Key]['parse']>> }>

/** Oathkeeper's checks, in its order and words. What is of the wrong type has been told already. */
export function missingParts(
  rule: RawRule,
  raw: Readonly<Record<string, unknown>>,
  locate: Locate,
  strict: boolean,
): readonly Problem[] {
  const problems: Problem[] = []
  const report = (message: string, path: Path, severity: Problem['severity'] = 'error', hint?: string): void => {
    problems.push({ severity, message, ...(hint !== undefined && { hint }), ...placed(locate, path) })
  }
  const wrongType = (key: keyof RawRule): boolean => rule[key] === undefined && raw[key] !== undefined

  if (!wrongType('match')) {
    if (rule.match === undefined) report('Value "match" is empty but must be set.', [])
    else if ((rule.match.url ?? '') === '' && rule.match.full_method === undefined) {
      report('Value "" of "match.url" field must not be empty.', ['match', 'url'])
    }
  }
  const fault = upstreamUrlFault(rule.upstream?.url ?? '')
  if (fault !== undefined) {
    const refused = fault.kind === 'invalid' || strict
    const hint = 'An upstream URL has a scheme, a host, a port and a path prefix, as in http://127.0.0.1:8080/base.'
    report(fault.message, ['upstream', 'url'], refused ? 'error' : 'warning', hint)
  }
  for (const list of ['authenticators', 'mutators'] as const) {
    if (list === 'mutators' && !wrongType('authorizer')) {
      for (const path of emptyAuthorizers(rule.authorizer)) {
        report('Value of "authorizer.handler" can not be empty.', path)
      }
    }
    if (!wrongType(list) && (rule[list] ?? []).length === 0) {
      report(`Value of "${list}" must be set and can not be an empty array.`, [list])
    }
  }
  return problems
}

function emptyAuthorizers(authorizer: RawRule['authorizer']): readonly Path[] {
  if (!Array.isArray(authorizer) || authorizer.length === 0) {
    const handler = Array.isArray(authorizer) ? undefined : authorizer?.handler
    return (handler ?? '') === '' ? [['authorizer', 'handler']] : []
  }
  return authorizer.flatMap(({ handler = '' }, index) => (handler === '' ? [['authorizer', index, 'handler']] : []))
}

/** For spreading into a problem: its place, if there is one. */
export function placed(locate: Locate, path: Path, on?: 'key' | 'value'): Pick<Problem, 'place'> {
  const place = locate(path, on)
  return place === undefined ? {} : { place }
}
