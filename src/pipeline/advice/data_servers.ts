/** What of a client's own reaches a data server that takes such headers for the word of whoever it trusts. */
import { isMap } from '../../documents/layers.ts'
import type { Problem } from '../../documents/problem.ts'
import { type AdvisedRule, type AdvisedStep, settingOf, warning } from './advised_rule.ts'

export function dataServerAdvice(advised: AdvisedRule): readonly Problem[] {
  const { rule, upstream, locate } = advised
  // Who writes it into the rule means it.
  if (upstream === undefined || rule.upstream.client_headers === 'pass') return []
  const server = serverOf(advised)
  if (server === undefined) return []
  const untouched = [...credentials(advised), ...identityHeaders(advised, server)]
  if (untouched.length === 0) return []
  return [
    warning(
      `The upstream looks like ${server} and gets, as the client sent it: ${untouched.join(', ')}`,
      locate(['upstream', 'url']),
      'Add `client_headers: drop` to `upstream` of the rule, or set safeguards.client_headers to drop; `client_headers: pass` says that it is meant.',
    ),
  ]
}

type Server = 'Hasura' | 'PostgREST'

function serverOf({ rule, edits }: AdvisedRule): Server | undefined {
  const { match, upstream, id } = rule
  const names = `${id} ${URL.parse(upstream.url)?.hostname ?? ''}`.toLowerCase()
  const claims = edits.filter(({ name }) => name === 'id_token').map((step) => settingOf(step, 'claims'))
  if (names.includes('hasura') || /\/v1\/graphql\b/.test(match.url + upstream.url) || claims.some(isForHasura))
    return 'Hasura'
  return names.includes('postgrest') || claims.some(namesRole) ? 'PostgREST' : undefined
}

const isForHasura = (claims: unknown): boolean =>
  JSON.stringify(claims ?? '')
    .toLowerCase()
    .includes('x-hasura-')

/** PostgREST switches to the database role that this claim names. */
function namesRole(claims: unknown): boolean {
  return isMap(claims) ? Object.hasOwn(claims, 'role') : typeof claims === 'string' && claims.includes('"role"')
}

function credentials({ passesCredentials, upstream, authenticators, edits }: AdvisedRule): string[] {
  if (!passesCredentials || upstream?.passCredentials === true) return []
  const owns = (header: string): boolean => edits.some((step) => step.owns.includes(header))
  // Beside a session cookie, Authorization has a warning of its own.
  const told = authenticators.some(({ name }) => name === 'cookie_session')
  return [
    ...(owns('cookie') ? [] : ['the session cookie']),
    ...(told || owns('authorization') || authenticators.some(verifiesAuthorization) ? [] : ['Authorization']),
  ]
}

/** A token that has been verified may go on; one of the session store is for nobody else. */
function verifiesAuthorization(step: AdvisedStep): boolean {
  return ['jwt', 'oauth2_introspection'].includes(step.name) && !isMap(settingOf(step, 'token_from'))
}

function identityHeaders({ clientHeaders }: AdvisedRule, server: Server): string[] {
  return server === 'Hasura' && clientHeaders === 'pass' ? ['x-hasura-* headers'] : []
}
