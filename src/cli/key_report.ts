/** What operators want to know of a key set: which key signs, which is next, and how long the others are there. */
import type { KeyInfo, KeySet } from '../pipeline/contract/keys.ts'
import { GatewayError } from '../errors.ts'

/** To the second, in UTC. */
export const moment = (milliseconds: number): string => new Date(milliseconds).toISOString().replace('.000Z', 'Z')

/** One line for a key, in words. */
export function keyLine({ kid, kty, alg, state, signsFrom, endsAt }: KeyInfo): string {
  const name = kid === '' ? '(no kid)' : kid
  const until = endsAt === undefined ? '' : `, published until ${moment(endsAt)}`
  return `${name} (${alg === '' ? kty : alg}) ${words(state, signsFrom, endsAt)}${state === 'ended' ? '' : until}`
}

function words(state: KeyInfo['state'], signsFrom: number | undefined, endsAt: number | undefined): string {
  if (state === 'signing')
    return signsFrom === undefined || signsFrom === 0 ? 'signs' : `signs since ${moment(signsFrom)}`
  if (state === 'next') return `is published, and signs from ${moment(signsFrom ?? 0)}`
  if (state === 'ended') return `has ended at ${moment(endsAt ?? 0)}`
  return state === 'retired' ? 'is retired' : 'is published'
}

/** A set with its keys, indented under its location. */
export function keySetLines(set: KeySet): readonly string[] {
  const fault = faultOf(set)
  return [set.url, ...set.keys.map((key) => `  ${keyLine(key)}`), ...(fault === undefined ? [] : [`  ${fault}`])]
}

/** The same as data; times are RFC 3339. */
export function keySetJson(set: KeySet): object {
  const fault = faultOf(set)
  return {
    url: set.url,
    keys: set.keys.map(({ kid, kty, alg, state, signsFrom, endsAt }) => ({
      kid,
      kty,
      alg,
      state,
      ...(signsFrom !== undefined && { signs_from: moment(signsFrom) }),
      ...(endsAt !== undefined && { published_until: moment(endsAt) }),
    })),
    ...(set.changesAt !== undefined && { changes_at: moment(set.changesAt) }),
    ...(fault !== undefined && { problem: fault }),
  }
}

/** Why the set cannot sign. */
function faultOf(set: KeySet): string | undefined {
  try {
    set.signingKey()
    return undefined
  } catch (error) {
    return error instanceof GatewayError ? error.reason : String(error)
  }
}
