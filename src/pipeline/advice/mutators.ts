/** What the upstream would read as a checked token, and is none. */
import { isMap } from '../../documents/layers.ts'
import type { Problem } from '../../documents/problem.ts'
import { type AdvisedRule, type AdvisedStep, settingOf, warning } from './advised_rule.ts'

export function mutatorAdvice(advised: AdvisedRule): readonly Problem[] {
  return [...clientAuthorization(advised), ...lostToken(advised)]
}

/** An upstream that reads tokens would believe one that nobody has looked at. */
function clientAuthorization(advised: AdvisedRule): readonly Problem[] {
  const { upstream, authenticators, edits, passesCredentials, locate } = advised
  if (!passesCredentials || !authenticators.some(({ name }) => name === 'cookie_session')) return []
  if (edits.some(ownsAuthorization)) return []
  // One that is to be trusted with them: the session store, or by word of the rule.
  if (upstream === undefined || upstream.passCredentials) return []
  return [
    warning(
      "Users are known by their session cookie, but the upstream also gets the client's own Authorization header, which nobody checks",
      locate(['mutators']),
      'Set it with `id_token`, take it out with `header` and `remove: [Authorization]`, or set safeguards.client_headers to drop.',
    ),
  ]
}

/** Edits are made in order, and the last one counts. */
function lostToken({ edits, locate }: AdvisedRule): readonly Problem[] {
  const last = edits.findLastIndex(ownsAuthorization)
  const token = edits.slice(0, Math.max(last, 0)).findLastIndex(({ name }) => name === 'id_token')
  if (token === -1) return []
  // A template may carry the token to where the upstream expects it.
  if (edits.slice(token + 1, last + 1).some(readsHeaders)) return []
  const { name, path } = edits[last]!
  return [
    warning(
      `The token of "id_token" does not reach the upstream: "${name}" after it sets or removes Authorization, too`,
      locate([...path, 'handler']),
      `Leave Authorization out of "${name}", or take "id_token" out.`,
    ),
  ]
}

const ownsAuthorization = ({ owns }: AdvisedStep): boolean => owns.includes('authorization')

function readsHeaders(step: AdvisedStep): boolean {
  const templates = [settingOf(step, 'headers'), settingOf(step, 'cookies')]
  return templates
    .flatMap((each) => (isMap(each) ? Object.values(each) : []))
    .some((template) => typeof template === 'string' && template.includes('.Header'))
}
