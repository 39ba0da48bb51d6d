/** Answers that are believed for so long that a logout or a lost role hardly counts. */
import { parseDuration } from '../../documents/parse_duration.ts'
import type { Problem } from '../../documents/problem.ts'
import { type AdvisedRule, type AdvisedStep, settingOf, warning } from './advised_rule.ts'

/** Milliseconds; the lifetime that tokens have unless they are given another one. */
const longest = 900_000

/** What a long `cache.ttl` delays, by handler. */
const delayed: Readonly<Record<string, string>> = {
  cookie_session: 'a session counts that long after its user has logged out',
  bearer_token: 'a session counts that long after its user has logged out',
  oauth2_introspection: 'a token counts that long after it has been revoked',
  hydrator: 'what it says about a user counts that long after it has changed',
}

export function cacheAdvice({ authenticators, edits }: AdvisedRule): readonly Problem[] {
  return [...authenticators, ...edits].flatMap(longCache)
}

function longCache(step: AdvisedStep): readonly Problem[] {
  const ttl = settingOf(step, 'cache', 'ttl')
  const delay = Object.hasOwn(delayed, step.name) ? delayed[step.name] : undefined
  if (delay === undefined || typeof ttl !== 'string' || !isCached(step)) return []
  if ((parseDuration(ttl) ?? 0) <= longest) return []
  return [
    warning(
      `The cache of "${step.name}" is kept for ${ttl}: ${delay}`,
      step.locateConfig(['cache', 'ttl']),
      'A few minutes spare most of the calls.',
    ),
  ]
}

/** Sessions are kept unless it is switched off, all else only when it is switched on. */
function isCached(step: AdvisedStep): boolean {
  const enabled = settingOf(step, 'cache', 'enabled')
  return step.name === 'cookie_session' || step.name === 'bearer_token' ? enabled !== false : enabled === true
}
