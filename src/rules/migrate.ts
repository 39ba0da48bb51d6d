/** Rules that were written for an older Oathkeeper are rewritten as Oathkeeper itself rewrites them. */
import { isMap } from '../documents/layers.ts'
import { compareVersions, parseVersion, type Version } from './semver.ts'

/** The version of Oathkeeper whose rule format this is. */
const rulesVersion = 'v26.2.0'

type RawRule = Readonly<Record<string, unknown>>

/** A `version` that is none. The whole file counts as undecodable then, as in Oathkeeper. */
export class RuleVersionError extends Error {
  override readonly name = 'RuleVersionError'

  constructor(version: string) {
    super(`Value "${version}" of "version" is not a semantic version`)
  }
}

const hydratorRetryRenamed = knownVersion('0.32.0-beta.1')
const ketoGroupsRenamed = knownVersion('0.37.0')

/**
 * Takes a rule as it was written and the version to bring it to; returns the rewritten rule.
 * Without a version of its own a rule is taken for current. Throws RuleVersionError.
 */
export function migrateRule(raw: RawRule, target: string = rulesVersion): RawRule {
  const current = target.replace(/\+.*$/, '')
  const written = raw['version']
  if (written !== undefined && typeof written !== 'string') return raw
  const version = written === undefined || written === '' ? current : written
  const parsed = parseVersion(version)
  if (parsed === undefined) throw new RuleVersionError(version)
  let rule: RawRule = { ...raw, version: current }
  if (compareVersions(parsed, hydratorRetryRenamed) <= 0) rule = renameHydratorRetries(rule)
  if (compareVersions(parsed, ketoGroupsRenamed) <= 0) rule = rewriteKetoGroups(rule)
  return rule
}

function knownVersion(text: string): Version {
  const version = parseVersion(text)
  if (version === undefined) throw new RuleVersionError(text)
  return version
}

/** Up to 0.32.0-beta.1 the hydrator counted its tries. */
function renameHydratorRetries(rule: RawRule): RawRule {
  const { mutators } = rule
  if (!Array.isArray(mutators)) return rule
  return { ...rule, mutators: mutators.map((mutator: unknown) => renameHydratorRetry(mutator)) }
}

function renameHydratorRetry(mutator: unknown): unknown {
  if (!isMap(mutator) || mutator['handler'] !== 'hydrator' || !isMap(mutator['config'])) return mutator
  const { retry } = mutator['config']
  if (!isMap(retry)) return mutator
  const { number_of_retries: count, delay_in_milliseconds: delay = 100, ...rest } = retry
  if (typeof count !== 'number' || typeof delay !== 'number') return mutator
  const renamed = { ...rest, max_delay: `${delay}ms`, give_up_after: `${count * delay}ms` }
  return { ...mutator, config: { ...mutator['config'], retry: renamed } }
}

/** Up to 0.37.0 Keto's fields referred to capture groups as `$1`; later they are templates. */
function rewriteKetoGroups(rule: RawRule): RawRule {
  const { authorizer } = rule
  if (!isMap(authorizer) || authorizer['handler'] !== 'keto_engine_acp_ory' || !isMap(authorizer['config'])) return rule
  const config = { ...authorizer['config'] }
  for (const key of ['required_action', 'required_resource']) {
    const text = config[key]
    if (typeof text !== 'string') continue
    config[key] = text.replaceAll(/\$(\d+)/g, '{{ printIndex .MatchContext.RegexpCaptureGroups (sub $1 1 | int)}}')
  }
  return { ...rule, authorizer: { ...authorizer, config } }
}
