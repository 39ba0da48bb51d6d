/** Sessions of Kratos that are read by Oathkeeper's defaults, which lead to nothing in them. */
import type { Problem } from '../../documents/problem.ts'
import { isWhoami } from '../session_authentication.ts'
import { type AdvisedRule, type AdvisedStep, settingOf, warning } from './advised_rule.ts'

/** The defaults of `subject_from`, as the two authenticators have it; Kratos' sessions have neither of these members. */
const noSubject: ReadonlySet<unknown> = new Set(['subject', 'sub', undefined])
const noExtra: ReadonlySet<unknown> = new Set(['extra', undefined])

/** Steps that say who it is whatever their settings are. */
const namesSubject: ReadonlySet<string> = new Set(['id_token', 'hydrator', 'keto_engine_acp_ory'])

/**
 * Warns only where somebody misses what is not there: under `session_requirements: strict` each request, otherwise a step
 * that reads the subject or extra.
 */
export function kratosSessionAdvice(advised: AdvisedRule): readonly Problem[] {
  const { authenticators, edits, safeguards } = advised
  const strict = safeguards.session_requirements === 'strict'
  return authenticators
    .filter((step) => asksKratos(step, advised))
    .flatMap((step) => {
      const problems: Problem[] = []
      const lacksSubject = noSubject.has(settingOf(step, 'subject_from'))
      if (lacksSubject && (strict || edits.some(readsSubject))) {
        const consequence = strict ? 'every request is a 503' : 'the subject is always empty'
        problems.push(
          warning(
            `"subject_from" of "${step.name}" leads to nothing in a session of Kratos: ${consequence}`,
            step.locateConfig(['subject_from']),
            'Add `subject_from: identity.id`.',
          ),
        )
      }
      const reader = noExtra.has(settingOf(step, 'extra_from')) ? edits.find(readsExtra) : undefined
      if (reader !== undefined) {
        problems.push(
          warning(
            `"extra_from" of "${step.name}" leads to nothing in a session of Kratos: there is no Extra for "${reader.name}" to read`,
            step.locateConfig(['extra_from']),
            "Add `extra_from: '@this'`.",
          ),
        )
      }
      return problems
    })
}

/** Not of one that asks at the path of the request instead: that has a warning of its own. */
function asksKratos(step: AdvisedStep, { safeguards }: AdvisedRule): boolean {
  if (step.name !== 'cookie_session' && step.name !== 'bearer_token') return false
  const url = settingOf(step, 'check_session_url')
  if (typeof url !== 'string' || !URL.canParse(url) || !isWhoami(url)) return false
  return safeguards.session_request === 'fixed' || settingOf(step, 'preserve_path') === true
}

const readsSubject = (step: AdvisedStep): boolean => namesSubject.has(step.name) || textOf(step).includes('.Subject')

/** In a Go template, in claims with Handlebars, or by a token template, whose claims mapper gets all of the session. */
function readsExtra(step: AdvisedStep): boolean {
  const text = textOf(step)
  if (/\.Extra\b/.test(text)) return true
  if (step.name !== 'id_token') return false
  return /\{\{[^{}]*\bextra\b/.test(text) || (settingOf(step, 'template') ?? '') !== ''
}

const textOf = ({ config }: AdvisedStep): string => JSON.stringify(config ?? '')
