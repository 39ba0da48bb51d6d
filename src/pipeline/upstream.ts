import type { Rule } from '../rules/rule.ts'
import type { UpstreamTarget } from './contract.ts'

/**
 * Where the rule's requests go; undefined for a rule that only serves /decisions. The rule's `upstream.url` has been
 * checked when it was loaded.
 */
export function upstreamTarget(rule: Rule, sessionStoreUrl: string | undefined): UpstreamTarget | undefined {
  const { upstream } = rule
  const url = URL.parse(upstream.url ?? '')
  if (url === null) return undefined
  const strip = (upstream.strip_prefix ?? upstream.strip_path).split('/').filter((segment) => segment !== '')
  return {
    origin: url.origin,
    basePath: url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname,
    preserveHost: upstream.preserve_host,
    stripPath: strip.length === 0 ? '' : `/${strip.join('/')}`,
    ...(upstream.strip_prefix !== undefined && { stripsPrefixOnly: true }),
    passCredentials: upstream.credentials === 'pass' || url.origin === URL.parse(sessionStoreUrl ?? '')?.origin,
  }
}
