/** What the upstream was told at the handshake, and whether a later decision would tell it the same. */
import type { AllowedDecision } from '../../pipeline/contract/decision.ts'
import type { HeaderEdit } from '../../pipeline/contract/headers.ts'
import type { Json, JsonObject } from '../../pipeline/contract/values.ts'

/** Claims (RFC 7519 section 4.1) that two tokens about the same differ in. */
const ofOneToken = new Set(['iat', 'nbf', 'exp', 'jti'])

/** When the first of the tokens among the edits ends, epoch milliseconds; undefined when none does. */
export function tokensEnd(edits: readonly HeaderEdit[]): number | undefined {
  let end: number | undefined
  for (const [, value] of edits) {
    const exp = value === null ? undefined : claimsOf(value)?.['exp']
    if (typeof exp === 'number' && (end === undefined || exp * 1000 < end)) end = exp * 1000
  }
  return end
}

/** Whether both come from the same session, and say the same of it to the same upstream. */
export function saysTheSame(then: AllowedDecision, now: AllowedDecision): boolean {
  return (
    then.ruleId === now.ruleId &&
    then.upstream?.origin === now.upstream?.origin &&
    then.session.subject === now.session.subject &&
    then.session.id === now.session.id &&
    JSON.stringify(meaning(then.edits)) === JSON.stringify(meaning(now.edits))
  )
}

const meaning = (edits: readonly HeaderEdit[]): unknown =>
  edits.map(([name, value]) => [name.toLowerCase(), value === null ? null : meaningOf(value)])

function meaningOf(value: string): unknown {
  const claims = claimsOf(value)
  return claims === undefined ? value : Object.entries(claims).filter(([name]) => !ofOneToken.has(name))
}

/** The claims of a JWT, with or without a scheme before it; undefined for other values. Its signature is not looked at. */
function claimsOf(value: string): JsonObject | undefined {
  const [, payload, signature] = value.slice(value.indexOf(' ') + 1).split('.')
  if (payload === undefined || signature === undefined) return undefined
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Json
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? claims : undefined
  } catch {
    return undefined
  }
}
