import { ConfigError } from '../pipeline/contract/config_error.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'
import type { Setup } from '../pipeline/contract/setup.ts'

/** Milliseconds; a token cannot be called back. */
const LONG_TTL = 3_600_000

/**
 * Looks at the lifetime of tokens (milliseconds) that a config asks for under `ttl`. Warns of a long one.
 * Throws ConfigError when tokens would have expired as they are made.
 */
export function checkLifetime(
  ttl: number,
  { token_backdate }: Pick<Safeguards, 'token_backdate'>,
  setup: Pick<Setup, 'report'>,
): void {
  if (ttl <= token_backdate * 1000) {
    throw new ConfigError(
      `A token would have expired when it is made: ttl is not longer than token_backdate, ${token_backdate} s`,
      ['ttl'],
      'Give a longer ttl, or set safeguards.token_backdate to 0.',
    )
  }
  if (ttl > LONG_TTL) {
    const hint = 'A few minutes are enough: a new token is made whenever one is needed.'
    setup.report(
      'warning',
      'A token of this ttl stays valid long after its user has logged out or lost a role',
      ['ttl'],
      hint,
    )
  }
}
