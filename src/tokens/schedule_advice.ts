/** What is legal in the times of a key set, and refuses requests when its moment comes. */
import type { KeyInfo, KeySet } from '../pipeline/contract/keys.ts'

export interface ScheduleAdvice {
  readonly message: string
  readonly hint: string
}

/** @param lifetime the longest lifetime of tokens that the set signs, milliseconds */
export function adviceOnSchedule({ keys }: Pick<KeySet, 'keys'>, lifetime: number): readonly ScheduleAdvice[] {
  return keys.flatMap((key) => {
    const { state, endsAt } = key
    if (endsAt === undefined || (state !== 'signing' && state !== 'retired')) return []
    const stopsAt = whenFollowed(key, keys)
    if (state === 'signing' && (stopsAt ?? Infinity) > endsAt) return [endsUnfollowed(key, endsAt)]
    return stopsAt !== undefined && endsAt < stopsAt + lifetime ? [endsEarly(key, endsAt, stopsAt + lifetime)] : []
  })
}

/** When the key that comes after this one begins to sign, epoch milliseconds. */
function whenFollowed({ state, signsFrom }: KeyInfo, keys: readonly KeyInfo[]): number | undefined {
  // A retired key that does not say when it began may never have signed.
  const since = signsFrom ?? (state === 'signing' ? 0 : Infinity)
  const later = keys.flatMap((other) => other.signsFrom ?? []).filter((moment) => moment > since)
  return later.length === 0 ? undefined : Math.min(...later)
}

const endsUnfollowed = (key: KeyInfo, endsAt: number): ScheduleAdvice => ({
  message: `The key ${nameOf(key)} ends at ${when(endsAt)}, and none has begun by then: no token can be signed from then on`,
  hint: 'Start a rotation: `mintkeeper jwks rotate FILE -c CONFIG`.',
})

const endsEarly = (key: KeyInfo, endsAt: number, lastToken: number): ScheduleAdvice => ({
  message:
    `The key ${nameOf(key)} is published until ${when(endsAt)}, and its last token is valid until ${when(lastToken)}: ` +
    'verifiers would refuse it',
  hint: 'Give the key a later "exp", or let `mintkeeper jwks rotate FILE -c CONFIG` set the times.',
})

const nameOf = ({ kid }: KeyInfo): string => JSON.stringify(kid)
const when = (moment: number): string => new Date(moment).toISOString()
