/** All repositories become one list of rules; what cannot be read is told, and what was read before stands in for it. */
import { parseDocument } from '../../documents/document.ts'
import type { Environment } from '../../documents/interpolate.ts'
import { createPace } from '../../documents/pace.ts'
import { formatPlace, type Problem } from '../../documents/problem.ts'
import type { Safeguards } from '../../pipeline/contract/safeguards.ts'
import { parseRules } from '../parse.ts'
import type { LoadedRule } from '../rule.ts'
import { readRepository, type ReadOptions, type RemoteState } from './read.ts'
import { parseRepository, type Repository } from './repository.ts'
import { RepositoryError } from './repository_error.ts'

export interface LoadRepositoriesOptions extends ReadOptions {
  /** What a rule file that is missing or cannot be decoded means: nothing is loaded, or the rest is. */
  readonly missing: Safeguards['missing_rule_files']
  /** Whether parts of an upstream URL that are never used make a rule invalid. Default: they are warned of. */
  readonly strict?: boolean
  /** When given, `${NAME}` and `${NAME:-default}` in rules are replaced from it. */
  readonly env?: Environment
  /** The last good load: its rules stay for a repository that cannot be read any more. */
  readonly previous?: LoadedRepositories | undefined
  /** Where the config names the repository of this position; for problems. */
  readonly place?: (index: number) => Problem['place']
  /** Directory of relative paths. Default: the working directory. */
  readonly directory?: string
}

/** What one repository held. */
interface RepositoryState {
  readonly rules: readonly LoadedRule[]
  /** Absent when there is nothing to poll. */
  readonly remote?: RemoteState
}

export interface LoadedRepositories {
  /** The union of all repositories, in their order. */
  readonly rules: readonly LoadedRule[]
  /** Of the repositories; those of a rule are the rule's own. Errors among them: this load must not be used. */
  readonly problems: readonly Problem[]
  /** Of files and inline repositories that cannot be used, so that their previous rules stay: among `problems`, too. */
  readonly kept: readonly Problem[]
  /** Absolute paths of all rule files, also of those that do not exist. */
  readonly files: readonly string[]
  /** By the repository's URL as the config has it. */
  readonly states: ReadonlyMap<string, RepositoryState>
}

interface Outcome {
  readonly state?: RepositoryState
  readonly problems: readonly Problem[]
  readonly kept?: readonly Problem[]
  readonly file?: string
}

/** Takes `access_rules.repositories`. Never rejects. */
export async function loadRepositories(
  urls: readonly string[],
  options: LoadRepositoriesOptions,
): Promise<LoadedRepositories> {
  const outcomes = await Promise.all(urls.map((url, index) => loadRepository(url, index, options)))
  const states = new Map<string, RepositoryState>()
  for (const [index, url] of urls.entries()) {
    const state = outcomes[index]?.state
    if (state !== undefined) states.set(url, state)
  }
  const rules = outcomes.flatMap(({ state }) => state?.rules ?? [])
  return {
    rules,
    problems: [...outcomes.flatMap(({ problems }) => problems), ...idProblems(rules)],
    kept: outcomes.flatMap(({ kept = [] }) => kept),
    files: outcomes.map(({ file }) => file).filter((file) => file !== undefined),
    states,
  }
}

async function loadRepository(url: string, index: number, options: LoadRepositoriesOptions): Promise<Outcome> {
  const previous = options.previous?.states.get(url)
  let repository: Repository | undefined
  let problems: readonly Problem[]
  /** Set when it can be read but not decoded. */
  let undecoded: { readonly remote?: RemoteState } | undefined
  const place = options.place?.(index)
  try {
    repository = parseRepository(url, index, options.directory ?? process.cwd())
    const file = repository.kind === 'file' ? { file: repository.path } : {}
    const content = await readRepository(repository, previous?.remote, options)
    const decoded = await decode(content.text, repository.name, options)
    const remote = content.remote === undefined ? {} : { remote: content.remote }
    if (decoded.rules !== undefined) {
      const state = { rules: decoded.rules, ...remote }
      return { state, problems: [...unreadParameters(repository, place), ...decoded.problems], ...file }
    }
    problems = decoded.problems
    undecoded = remote
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error
    const { message, hint } = error
    problems = [
      { severity: 'error', message, ...(hint !== undefined && { hint }), ...(place !== undefined && { place }) },
    ]
  }
  return fallBack({ repository, previous, problems, undecoded }, options)
}

interface Unusable {
  readonly repository: Repository | undefined
  readonly previous: RepositoryState | undefined
  readonly problems: readonly Problem[]
  readonly undecoded: { readonly remote?: RemoteState } | undefined
}

/**
 * A repository that cannot be used. Its previous rules stay, or a missing file and what cannot be decoded count for nothing,
 * or the load fails: where `missing` refuses, a reload must not put a new config over old rules either. What comes over the
 * network is asked for again by itself, so that its outage holds back nothing else; at the start an outage is fatal.
 */
function fallBack(
  { repository, previous, problems, undecoded }: Unusable,
  { missing }: LoadRepositoriesOptions,
): Outcome {
  const file = repository?.kind === 'file' ? { file: repository.path } : {}
  const isRemote = repository?.kind === 'http' || repository?.kind === 'object'
  if (previous !== undefined && (isRemote || missing === 'warn')) {
    const told = asWarnings(
      problems,
      previous.rules.length === 0 ? 'its rules are left out' : 'the previous rules stay in force',
    )
    // The outages of servers are told where they are asked again.
    return { state: previous, problems: told, ...(repository?.kind !== 'http' && { kept: told }), ...file }
  }
  if (missing === 'refuse' || (repository?.kind !== 'file' && undecoded === undefined)) return { problems, ...file }
  return {
    problems: asWarnings(problems, 'its rules are left out'),
    // Without a state nobody would ask the server again, and see that the rules have been mended.
    ...(undecoded?.remote !== undefined && { state: { rules: [], ...undecoded } }),
    ...file,
  }
}

/** The last one says what follows from them. */
function asWarnings(problems: readonly Problem[], consequence: string): readonly Problem[] {
  return problems.map((problem, index) => ({
    ...problem,
    severity: 'warning',
    ...(index === problems.length - 1 && { message: `${problem.message}; ${consequence}` }),
  }))
}

/** Oathkeeper reads no parameter at all, so that one too many must not keep the gateway from starting. */
function unreadParameters(repository: Repository, place: Problem['place']): readonly Problem[] {
  if (repository.kind !== 'object' || repository.url.unknown.length === 0) return []
  const message = `${repository.name}: unknown parameters are ignored: ${repository.url.unknown.join(', ')}`
  return [{ severity: 'warning', message, ...(place !== undefined && { place }) }]
}

interface Decoded {
  /** Absent when the text is no list of rules. */
  readonly rules?: readonly LoadedRule[]
  readonly problems: readonly Problem[]
}

async function decode(text: string, name: string, options: LoadRepositoriesOptions): Promise<Decoded> {
  const { env, strict = false } = options
  const { document, problems } = parseDocument(text, name, env === undefined ? {} : { env })
  if (document === undefined) return { problems }
  const parsed = await createPace().through(parseRules(document, { strict, repository: name }))
  return parsed.decoded ? { rules: parsed.rules, problems } : { problems: [...problems, parsed.problem] }
}

/** Logs, metrics and the rules API tell rules apart by their ids. */
function idProblems(rules: readonly LoadedRule[]): readonly Problem[] {
  const seen = new Map<string, Problem['place']>()
  const problems: Problem[] = []
  for (const { rule, locate } of rules) {
    const warn = (message: string, hint: string): void => {
      const place = locate(['id'])
      problems.push({ severity: 'warning', message, hint, ...(place !== undefined && { place }) })
    }
    if (rule.id === '') warn('This rule has no id', 'Logs, metrics and the rules API name rules by their id.')
    else if (seen.has(rule.id)) {
      const other = seen.get(rule.id)
      const where = other === undefined ? '' : ` (${formatPlace(other)})`
      warn(`Another rule${where} has the id "${rule.id}", too`, 'Give each rule an id of its own.')
    } else seen.set(rule.id, locate(['id']))
  }
  return problems
}
