import { z } from 'zod'
import { duration } from '../../documents/duration.ts'
import { GatewayError } from '../../errors.ts'
import { adviceOn } from '../../tokens/claims/advice.ts'
import { compileClaims } from '../../tokens/claims/compile.ts'
import type { ClaimsTemplate } from '../../tokens/claims/template.ts'
import { createMint } from '../../tokens/mint.ts'
import {
  ConfigError,
  defineMutator,
  type JsonObject,
  type KeySet,
  type Mutation,
  type Safeguards,
  type Setup,
  type SigningKey,
} from '../contract.ts'

/** Milliseconds; a token cannot be called back. */
const LONG_TTL = 3_600_000
const MAKE_A_KEY = 'Make a key with `mintkeeper credentials generate --alg ES256 --out PATH`.'

/** Turns the session into a signed JWT (RFC 7519) and sends it to the upstream as `Authorization: Bearer`. */
export const idToken = defineMutator({
  name: 'id_token',
  config: z.strictObject({
    issuer_url: z.string().min(1).describe('The claim `iss`, verbatim.'),
    jwks_url: z
      .string()
      .min(1)
      .describe(
        'The key set that signs: file:// (absolute or relative to the working directory), base64://, http(s)://.',
      ),
    claims: z
      .union([z.string(), z.record(z.string(), z.unknown())])
      .optional()
      .describe(
        "What the token says beside iss, sub, iat, nbf, exp and jti: an object with Handlebars in its strings, or Oathkeeper's Go template that makes a JSON object.",
      ),
    ttl: duration.prefault('15m').describe('Lifetime of a token; it is reused until a tenth of it remains.'),
  }),
  async create(config, setup) {
    const { safeguards, clock, randomUUID, tokens } = setup
    const keySet = await setup.keys.load(config.jwks_url, config.ttl)
    const claims = claimsOf(config.claims, setup)
    for (const { message, path, hint } of adviceOn(config.claims))
      setup.report('warning', message, ['claims', ...path], hint)
    if (config.ttl <= safeguards.token_backdate * 1000) {
      throw new ConfigError(
        `A token would have expired when it is made: ttl is not longer than token_backdate, ${safeguards.token_backdate} s`,
        ['ttl'],
        'Give a longer ttl, or set safeguards.token_backdate to 0.',
      )
    }
    if (config.ttl > LONG_TTL) {
      const hint = 'A few minutes are enough: a new token is made whenever one is needed.'
      setup.report(
        'warning',
        'A token of this ttl stays valid long after its user has logged out or lost a role',
        ['ttl'],
        hint,
      )
    }
    const key = signingKey(keySet, safeguards)
    if (key instanceof GatewayError) {
      setup.report('error', key.reason ?? key.message, ['jwks_url'], MAKE_A_KEY)
      return {
        owns: ['authorization'],
        mutate: () => {
          throw key
        },
      }
    }
    const mint = createMint({
      issuer: config.issuer_url,
      ttl: config.ttl,
      jwksUrl: config.jwks_url,
      key,
      claims,
      safeguards,
      clock,
      randomUUID,
      tokens,
    })
    return {
      owns: ['authorization'],
      mutate: (exchange) => {
        const token = mint(exchange)
        return typeof token === 'string' ? bearer(token) : token.then(bearer)
      },
    }
  },
})

const bearer = (token: string): Mutation => ({ edits: [['authorization', `Bearer ${token}`]] })

function claimsOf(
  claims: string | Record<string, unknown> | undefined,
  { safeguards, templates }: Pick<Setup, 'safeguards' | 'templates'>,
): ClaimsTemplate | undefined {
  try {
    return compileClaims(claims as string | JsonObject | undefined, safeguards, templates)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.message, ['claims', ...error.path], error.hint)
  }
}

/** The key, or the error that every request gets where a missing key is no reason to refuse the rules. */
function signingKey(keySet: KeySet, { missing_signing_keys }: Safeguards): SigningKey | GatewayError {
  try {
    return keySet.signingKey()
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    if (missing_signing_keys === 'isolate') return error
    throw new ConfigError(error.reason ?? error.message, ['jwks_url'], MAKE_A_KEY)
  }
}
