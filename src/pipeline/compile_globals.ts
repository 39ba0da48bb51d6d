/**
 * What the config says of handlers is compiled whether a rule uses it or not: otherwise a mistake in it would wait for the
 * first rule that does, which may be a reload in the middle of the night.
 */
import type { Locate, Problem } from '../documents/problem.ts'
import { validate } from '../documents/zod.ts'
import { builtinHandlers } from './builtin.ts'
import { type CompileInput, type HandlerTable, type Kind, make } from './compile_step.ts'
import type { Handler } from './contract/handler.ts'

/**
 * The errors in the configs of handlers that are enabled. Warnings are left to the rules: only there it shows what comes of a
 * setting. Handlers of somebody else's are left to them, too, who are promised one step for each rule and no other.
 */
export async function globalProblems({ config, locate, setup }: CompileInput): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const handler of builtinHandlers) {
    const settings = tableOf(config, handler.kind)[handler.name]
    if (settings?.enabled !== true || settings.config === undefined) continue
    const path = [...section(handler.kind), handler.name, 'config']
    const locateInConfig: Locate = (at, on) => locate([...path, ...at], on)
    problems.push(...(await handlerProblems(handler, settings.config, locateInConfig, setup)))
  }
  return problems
}

async function handlerProblems(
  handler: Handler<Kind, unknown>,
  config: unknown,
  locate: Locate,
  setup: CompileInput['setup'],
): Promise<readonly Problem[]> {
  const parsed = validate(handler.config, config, locate)
  // What the config's schema has to say of it has been said; what is incomplete may be completed by rules.
  if (!parsed.valid) return []
  const { reports } = await make(handler, parsed.value, setup)
  return reports
    .filter(({ severity, path }) => severity === 'error' && path.length > 0 && !KEYS.has(path[0]))
    .map(({ message, path, within, hint }) => {
      const place = locate(path, within)
      return { severity: 'error', message, ...(place !== undefined && { place }), ...(hint !== undefined && { hint }) }
    })
}

/** Keys that are not there yet concern only the rules that sign or verify with them, and rules may name their own. */
const KEYS: ReadonlySet<unknown> = new Set(['jwks_url', 'jwks_urls'])

const tableOf = ({ errors, ...tables }: CompileInput['config'], kind: Kind): HandlerTable =>
  kind === 'errors' ? errors.handlers : tables[kind]

const section = (kind: Kind): readonly string[] => (kind === 'errors' ? ['errors', 'handlers'] : [kind])
