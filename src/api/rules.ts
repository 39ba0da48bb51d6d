/** The access rules in use, as Oathkeeper's API lists them; secrets in their handlers' configs are not shown. */
import type { Rule } from '../rules/rule.ts'
import { ruleToJson } from '../rules/rule.ts'
import { redact } from '../telemetry/redact.ts'
import { JSON_TYPE, problemAnswer } from './answers.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 500

/** One page; `limit` and `offset` as they stand in the query. What is no number counts as absent, less than 0 as 0. */
export function listRules(rules: readonly Rule[], limit: string | undefined, offset: string | undefined): Response {
  const start = wholeNumber(offset, 0)
  const end = start + Math.min(wholeNumber(limit, DEFAULT_LIMIT), MAX_LIMIT)
  return json(`[${rules.slice(start, end).map(listed).join(',')}]`)
}

/** The first rule with this id, or 404. */
export function findRule(rules: readonly Rule[], id: string): Response {
  const rule = rules.find((candidate) => candidate.id === id)
  return rule === undefined ? problemAnswer(404, 'The requested resource could not be found') : json(listed(rule))
}

function listed(rule: Rule): string {
  // `redact` keeps the shape of what it is given.
  const shown = redact(rule) as Rule
  const { credentials } = rule.upstream
  if (credentials === undefined) return ruleToJson(shown)
  // A choice of two words under a name that others have for secrets.
  return ruleToJson({ ...shown, upstream: { ...shown.upstream, credentials } })
}

const json = (text: string): Response => new Response(`${text}\n`, { headers: { 'content-type': JSON_TYPE } })

function wholeNumber(text: string | undefined, absent: number): number {
  const number = text === undefined || !/^[+-]?\d+$/.test(text) ? absent : Number(text)
  return Math.max(number, 0)
}
