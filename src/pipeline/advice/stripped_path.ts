/** `strip_path` and `strip_prefix` that no path of the rule has. */
import type { Problem } from '../../documents/problem.ts'
import { splitPattern, UnbalancedPatternError } from '../../rules/delimiters.ts'
import { literalPrefixes, type MatchingStrategy, type Prefixes } from '../../rules/prefixes.ts'
import type { UpstreamTarget } from '../contract/upstream.ts'
import { type AdvisedRule, warning } from './advised_rule.ts'

export function strippedPathAdvice(advised: AdvisedRule): readonly Problem[] {
  const { rule, upstream, matchingStrategy, locate } = advised
  if (upstream === undefined || upstream.stripPath === '') return []
  const prefixes = beginnings(rule.match.url, matchingStrategy)
  if (prefixes === undefined) return []
  const atStart = upstream.stripsPrefixOnly ?? advised.path === 'refuse'
  if (prefixes.texts.some((text) => mayHave(text, prefixes.complete, upstream, atStart))) return []
  const key = rule.upstream.strip_prefix === undefined ? 'strip_path' : 'strip_prefix'
  return [
    warning(
      `"${key}" has no effect: no path of this rule ${atStart ? 'begins with' : 'has'} "${upstream.stripPath}"`,
      locate(['upstream', key]),
      'Write the whole segments that "match.url" has, such as /api of http://example.com/api/<.*>.',
    ),
  ]
}

/** What the rule's URLs begin with; undefined for a pattern that does not compile. */
function beginnings(url: string, strategy: MatchingStrategy): Prefixes | undefined {
  try {
    return literalPrefixes(splitPattern(url), strategy)
  } catch (error) {
    if (!(error instanceof UnbalancedPatternError)) throw error
    return undefined
  }
}

/** Whether a URL that begins with this text, or is this text, can have what is to be stripped. */
function mayHave(text: string, complete: boolean, { stripPath, basePath }: UpstreamTarget, atStart: boolean): boolean {
  const authority = text.indexOf('://')
  const slash = text.indexOf('/', authority + 3)
  if (authority === -1 || slash === -1) return authority === -1 || !complete
  const path = text.slice(slash)
  if (complete)
    return atStart ? `${path}/`.startsWith(`${stripPath}/`) : `${basePath}${path}/`.includes(`${stripPath}/`)
  return !atStart || `${path}/`.startsWith(`${stripPath}/`) || stripPath.startsWith(path)
}
