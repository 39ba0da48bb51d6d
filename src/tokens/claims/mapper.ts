import type { Exchange } from '../../pipeline/contract/exchange.ts'
import type { Awaitable, JsonObject } from '../../pipeline/contract/values.ts'
import { sessionFingerprint } from './fingerprint.ts'
import { handlebarsData } from './handlebars/data.ts'
import type { ClaimsMapper } from './jsonnet.ts'
import type { ClaimsTemplate } from './template.ts'

/** Evaluates a mapper, here or elsewhere; see `ClaimsMapper.map`. */
export type EvaluateMapper = (
  mapper: ClaimsMapper,
  session: JsonObject,
  defaults: JsonObject,
  others: JsonObject,
) => Awaitable<JsonObject>

export const evaluateHere: EvaluateMapper = (mapper, session, defaults, others) => mapper.map(session, defaults, others)

const sessionReads = [['subject'], ['extra']]

/**
 * Claims by a Jsonnet mapper. It reads what the other languages read, under the same names: `std.extVar('subject')`,
 * `'extra'`, `'match_context'` and `'header'`; and Kratos' own two: `'session'`, which is `extra` once more, and `'claims'`.
 */
export function mapperClaims(mapper: ClaimsMapper, evaluate: EvaluateMapper = evaluateHere): ClaimsTemplate {
  const fingerprintOf = sessionFingerprint(sessionReads)
  return {
    identity: mapper.identity,
    replacesRegistered: true,
    evaluate(exchange, registered) {
      const { subject, extra } = exchange.session
      const document = extra ?? {}
      const others = { subject, extra, ...(mapper.readsRequest && requestVariables(exchange)) }
      return evaluate(mapper, document, registered, others)
    },
    fingerprint: ({ session }) => (mapper.readsRequest ? undefined : fingerprintOf(session)),
  }
}

function requestVariables(exchange: Exchange): JsonObject {
  const { match_context, header } = handlebarsData(exchange)
  return { match_context, header } as JsonObject
}
