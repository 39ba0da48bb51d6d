/** Of a rule's own error handlers exactly one may be responsible: two are a 500. */
import { isMap } from '../../documents/layers.ts'
import type { Locate, Problem } from '../../documents/problem.ts'
import { type AdvisedRule, type AdvisedHandler, settingOf, warning } from './advised_rule.ts'

const hint =
  'Give each a `when` of its own, or leave `errors` out of the rule: in `errors.fallback` the first one that fits answers.'

export function errorHandlerAdvice({ errors, locate }: AdvisedRule): readonly Problem[] {
  const general = errors.find(answersEverything)
  if (general === undefined) return []
  const leavesOutages = general.name !== 'json'
  const other = errors.find((step) => step !== general && !(leavesOutages && isForOutages(step)))
  if (other === undefined) return []
  const [first, second] = errors.indexOf(general) < errors.indexOf(other) ? [general, other] : [other, general]
  const message = answersEverything(other)
    ? `"${first.name}" and "${second.name}" both answer every error, because neither has a \`when\`: each refusal of this rule is a 500 instead`
    : `"${general.name}" answers every error, because it has no \`when\`: those that are for "${other.name}", too, are a 500 instead`
  return [warning(message, locate([...second.path, 'handler']), hint)]
}

/** By `when`, of the config or of the rule. Outages aside, which only `json` answers unasked. */
function answersEverything(step: AdvisedHandler): boolean {
  if (!['json', 'redirect', 'www_authenticate'].includes(step.name)) return false
  const when = settingOf(step, 'when')
  return when === undefined || when === null || (Array.isArray(when) && when.length === 0)
}

/** Whether it answers nothing but outages, which handlers that send users to log in leave to it. */
function isForOutages(step: AdvisedHandler): boolean {
  const when = settingOf(step, 'when')
  if (!Array.isArray(when) || when.length === 0) return false
  return when.every((item) => {
    const names: unknown = isMap(item) ? item['error'] : undefined
    return Array.isArray(names) && names.length > 0 && names.every((name) => name === 'service_unavailable')
  })
}

/** Of `errors.fallback` the first one that fits answers: those after one that always fits never do. */
export function fallbackAdvice(fallback: readonly AdvisedHandler[], locate: Locate): readonly Problem[] {
  const index = fallback.findIndex((step) => step.name === 'json' && answersEverything(step))
  const next = index === -1 ? undefined : fallback[index + 1]
  if (next === undefined) return []
  return [
    warning(
      `"${next.name}" never answers: "json" before it answers every error, because it has no \`when\``,
      locate(next.path),
      'Put "json" last, or give it a `when`.',
    ),
  ]
}
