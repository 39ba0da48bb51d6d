import type { Locate, Path, Problem } from '../documents/problem.ts'
import { GatewayError } from '../errors.ts'
import { ConfigError } from '../pipeline/contract/config_error.ts'
import type { TokenTemplate } from '../pipeline/contract/tokens.ts'
import { createTokenTemplate, type TokenTemplateSettings, type TokenTemplateSetup } from './token_template.ts'

/** The token templates of one snapshot. */
export interface LoadedTokenTemplates {
  readonly templates: ReadonlyMap<string, TokenTemplate>
  readonly problems: readonly Problem[]
  /** Whether one of them cannot be used, so that nothing can be served with them. */
  readonly refused: boolean
  /** What could not be had any more, so that it is as it was before. */
  readonly kept: readonly Problem[]
}

export interface TokenTemplatesSetup extends Omit<TokenTemplateSetup, 'report'> {
  /** Finds places inside the templates. */
  readonly locate: Locate
}

type Settings = Readonly<Record<string, TokenTemplateSettings>>

/** Compiles all templates of a config. Never rejects for what is wrong with them. */
export async function loadTokenTemplates(
  settings: Settings,
  setup: TokenTemplatesSetup,
): Promise<LoadedTokenTemplates> {
  const templates = new Map<string, TokenTemplate>()
  const problems: Problem[] = []
  let refused = false
  for (const [name, one] of Object.entries(settings)) {
    const report = (severity: Problem['severity'], message: string, path: Path = [], hint?: string): void => {
      const place = setup.locate([name, ...path])
      problems.push({ severity, message, ...(place !== undefined && { place }), ...(hint !== undefined && { hint }) })
    }
    try {
      templates.set(name, await createTokenTemplate(one, { ...setup, report }))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      report('error', error.message, error.path, error.hint)
      refused = true
      // The rules that use it are not also told that there is no such template.
      templates.set(name, broken(error.message))
    }
  }
  return { templates, problems, refused, kept: keptMappers(settings, setup) }
}

function broken(reason: string): TokenTemplate {
  const fail = (): never => {
    throw new GatewayError('template_failed', { reason })
  }
  return { mint: fail, issue: async () => fail(), claims: fail }
}

function keptMappers(settings: Settings, { mappers, locate }: TokenTemplatesSetup): Problem[] {
  return mappers.kept.map(({ url, problem }) => {
    const [name] = Object.entries(settings).find(([, one]) => one.claims_mapper_url === url) ?? []
    const place = name === undefined ? undefined : locate([name, 'claims_mapper_url'])
    return {
      severity: 'warning',
      message: `${problem}; the old one stays in use`,
      ...(place !== undefined && { place }),
    }
  })
}
