/** Which cookies carry credentials, by what the config and the rules take them for. */
import type { LoadedRule } from '../rules/rule.ts'
import type { Config } from './schema.ts'

/** The session store's own. */
export function storeCookie(config: Config): string {
  return config.kratos?.cookie ?? 'ory_kratos_session'
}

/** The session store's cookie, and whatever cookies cookie_session is told to look at. */
export function sessionCookies(config: Config, rules: readonly LoadedRule[]): readonly string[] {
  const only = authenticatorSettings(config, rules, (handler) => handler === 'cookie_session').flatMap((settings) => {
    const names = settings['only']
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  })
  return [...new Set([storeCookie(config), ...only])]
}

/** The cookies that `token_from` of any authenticator names. */
export function tokenCookies(config: Config, rules: readonly LoadedRule[]): readonly string[] {
  return authenticatorSettings(config, rules, () => true).flatMap((settings) => {
    const name = (settings['token_from'] as { readonly cookie?: unknown } | null | undefined)?.cookie
    return typeof name === 'string' ? [name] : []
  })
}

/** As they are written: of the config, and of each rule by itself. */
function authenticatorSettings(
  config: Config,
  rules: readonly LoadedRule[],
  isAsked: (handler: string) => boolean,
): readonly Readonly<Record<string, unknown>>[] {
  const all = [
    ...Object.entries(config.authenticators).map(([handler, section]) => ({ handler, config: section?.config })),
    ...rules.flatMap(({ rule }) => rule.authenticators),
  ]
  return all.flatMap((each) =>
    isAsked(each.handler) && typeof each.config === 'object' && each.config !== null
      ? [each.config as Readonly<Record<string, unknown>>]
      : [],
  )
}
