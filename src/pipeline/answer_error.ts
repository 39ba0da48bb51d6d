/** Which error handler answers a refused request. */
import { GatewayError } from '../errors.ts'
import type { Inbound } from './contract/inbound.ts'
import type { ErrorAnswer } from './contract/outcomes.ts'
import type { ErrorStep } from './contract/steps.ts'
import { errorAnswer } from './error_body.ts'
import type { Named } from './snapshot.ts'

/**
 * The rule's own handlers first: exactly one of them may be responsible. When none is, the first responsible one of
 * `errors.fallback`. Whatever goes wrong here is answered as a verbose 500, so that the mistake in the config is seen.
 */
export function answerError(
  error: GatewayError,
  inbound: Inbound,
  own: readonly Named<ErrorStep>[],
  fallback: readonly Named<ErrorStep>[],
): { readonly answer: ErrorAnswer; readonly handler: string } {
  try {
    const handler = choose(error, inbound, own, fallback)
    return { answer: handler.step.answer(error, inbound), handler: handler.name }
  } catch (fault) {
    const failure = fault instanceof GatewayError ? fault : new GatewayError('error_handler_failed', { cause: fault })
    return { answer: errorAnswer(failure, inbound, { verbose: true }), handler: 'none' }
  }
}

/** An outage stays one where the only handlers are those that would tell it as a refusal. */
const outage: Named<ErrorStep> = {
  name: 'none',
  step: { matches: () => true, answer: (error, inbound) => errorAnswer(error, inbound, { verbose: false }) },
}

function choose(
  error: GatewayError,
  inbound: Inbound,
  own: readonly Named<ErrorStep>[],
  fallback: readonly Named<ErrorStep>[],
): Named<ErrorStep> {
  for (const exactly of [true, false]) {
    const [chosen, ...others] = own.filter(({ step }) => step.matches(error, inbound, exactly))
    if (others.length > 0) {
      throw new GatewayError('error_handler_failed', {
        reason:
          'Found more than one error handlers to be responsible for this request. This is a configuration error that needs to be resolved by the system administrator.',
      })
    }
    if (chosen !== undefined) return chosen
  }
  for (const exactly of [true, false]) {
    const chosen = fallback.find(({ step }) => step.matches(error, inbound, exactly))
    if (chosen !== undefined) return chosen
  }
  if (error.status === 503) return outage
  throw new GatewayError('error_handler_failed', {
    reason:
      'Unable to handle HTTP request because no matching error handling strategy was found. This is a configuration error that needs to be resolved by the system administrator.',
  })
}
