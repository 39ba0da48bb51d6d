/** Authenticators in an order that leaves some of them without a request. */
import { isMap } from '../../documents/layers.ts'
import type { Problem } from '../../documents/problem.ts'
import { type AdvisedRule, type AdvisedStep, settingOf, warning } from './advised_rule.ts'

export function authenticatorAdvice(advised: AdvisedRule): readonly Problem[] {
  return [...lastOnError(advised), ...unreached(advised), ...behindAnonymous(advised)]
}

function lastOnError({ rule: { authenticators }, locate }: AdvisedRule): readonly Problem[] {
  if (authenticators.at(-1)?.on_error !== 'next') return []
  return [
    warning(
      'No authenticator comes next, so that `on_error: next` has no effect',
      locate(['authenticators', authenticators.length - 1, 'on_error']),
      'Add the authenticator that is to be asked, such as `anonymous`.',
    ),
  ]
}

/** `noop` lets every request in, `unauthorized` refuses every one. */
function unreached({ rule: { authenticators }, locate }: AdvisedRule): readonly Problem[] {
  const index = authenticators.findIndex(
    ({ handler, on_error }) => handler === 'noop' || (handler === 'unauthorized' && on_error !== 'next'),
  )
  const next = authenticators[index + 1]
  if (index === -1 || next === undefined) return []
  const { handler } = authenticators[index]!
  return [
    warning(
      `"${next.handler}" is never asked: "${handler}" before it answers for every request`,
      locate(['authenticators', index + 1, 'handler']),
      `Put "${handler}" last, or take it out.`,
    ),
  ]
}

/** `anonymous` looks at the Authorization header alone: it also answers for requests that bring another credential. */
function behindAnonymous({ authenticators, locate }: AdvisedRule): readonly Problem[] {
  const index = authenticators.findIndex(({ name }) => name === 'anonymous')
  if (index === -1) return []
  const hidden = authenticators.slice(index + 1).find((step) => credentialOf(step) !== undefined)
  if (hidden === undefined) return []
  return [
    warning(
      `"${hidden.name}" is asked only about requests with an Authorization header, though it looks for ${credentialOf(hidden)}: "anonymous" before it answers for all others`,
      locate([...hidden.path, 'handler']),
      'Put "anonymous" last.',
    ),
  ]
}

/** The credential beside the Authorization header, in words. */
function credentialOf(step: AdvisedStep): string | undefined {
  if (step.name === 'cookie_session') return 'a cookie'
  const from = settingOf(step, 'token_from')
  if (!isMap(from)) return undefined
  if (typeof from['cookie'] === 'string') return 'a cookie'
  if (typeof from['query_parameter'] === 'string') return 'a query parameter'
  const { header } = from
  return typeof header === 'string' && header.toLowerCase() !== 'authorization' ? 'another header' : undefined
}
