/** What is legal in a rule but probably a mistake. */
import type { Path } from '../documents/problem.ts'
import type { Rule } from '../rules/rule.ts'
import type { Safeguards, UpstreamTarget } from './contract.ts'

export interface Advice {
  readonly message: string
  /** To the value inside the rule. */
  readonly path: Path
  readonly hint: string
}

export interface AdvisedRule {
  readonly rule: Rule
  readonly upstream: UpstreamTarget | undefined
  /** Lower-case names of the headers that the rule's steps set or remove. */
  readonly owned: ReadonlySet<string>
  readonly safeguards: Pick<Safeguards, 'client_headers'>
}

export function adviceOn(advised: AdvisedRule): readonly Advice[] {
  return [...lastOnError(advised.rule), ...clientAuthorization(advised)]
}

function lastOnError({ authenticators }: Rule): readonly Advice[] {
  if (authenticators.at(-1)?.on_error !== 'next') return []
  return [
    {
      message: 'No authenticator comes next, so that `on_error: next` has no effect',
      path: ['authenticators', authenticators.length - 1, 'on_error'],
      hint: 'Add the authenticator that is to be asked, such as `anonymous`.',
    },
  ]
}

/** An upstream that reads tokens would believe one that nobody has looked at. */
function clientAuthorization({ rule, upstream, owned, safeguards }: AdvisedRule): readonly Advice[] {
  const index = rule.authenticators.findIndex(({ handler }) => handler === 'cookie_session')
  if (index === -1 || safeguards.client_headers === 'drop' || owned.has('authorization')) return []
  if (upstream === undefined || upstream.passCredentials) return []
  return [
    {
      message:
        "Users are known by their session cookie, but the upstream also gets the client's own Authorization header, which nobody checks",
      path: ['mutators'],
      hint: 'Set it with `id_token`, take it out with `header` and `remove: [Authorization]`, or set safeguards.client_headers to drop.',
    },
  ]
}
