import { z } from 'zod'
import { duration } from '../../documents/duration.ts'
import { closest } from '../../documents/suggest.ts'
import { GatewayError } from '../../errors.ts'
import { adviceOn } from '../../tokens/claims/advice.ts'
import { compileClaims } from '../../tokens/claims/compile.ts'
import type { ClaimsTemplate } from '../../tokens/claims/template.ts'
import { checkLifetime } from '../../tokens/lifetime.ts'
import { createMint, type Mint } from '../../tokens/mint.ts'
import { ConfigError } from '../contract/config_error.ts'
import { defineMutator } from '../contract/handler.ts'
import type { KeySet, SigningKey } from '../contract/keys.ts'
import type { Mutation } from '../contract/outcomes.ts'
import type { Safeguards } from '../contract/safeguards.ts'
import type { Setup } from '../contract/setup.ts'
import type { TokenTemplate } from '../contract/tokens.ts'
import type { JsonObject } from '../contract/values.ts'

const MAKE_A_KEY = 'Make a key with `mintkeeper credentials generate --alg ES256 --out PATH`.'

const config = z
  .strictObject({
    issuer_url: z.string().min(1).optional().describe('The claim `iss`, verbatim. Needed without `template`.'),
    jwks_url: z
      .string()
      .min(1)
      .optional()
      .describe(
        'The key set that signs: file:// (absolute or relative to the working directory), base64://, http(s)://. Needed without `template`.',
      ),
    claims: z
      .union([z.string(), z.record(z.string(), z.unknown())])
      .optional()
      .describe(
        "What the token says beside iss, sub, iat, nbf, exp and jti: an object with Handlebars in its strings, or Oathkeeper's Go template that makes a JSON object.",
      ),
    ttl: duration.prefault('15m').describe('Lifetime of a token; it is reused until a tenth of it remains.'),
    template: z
      .string()
      .optional()
      .describe(
        'Name of a template of `session.whoami.tokenizer.templates`: issuer, keys, claims and lifetime are those of the template.',
      ),
  })
  .superRefine(({ template = '', issuer_url, jwks_url }, context) => {
    if (template !== '') return
    for (const [key, value] of Object.entries({ issuer_url, jwks_url })) {
      if (value === undefined) context.addIssue({ code: 'invalid_type', expected: 'string', path: [key], message: '' })
    }
  })

type Config = z.output<typeof config>

/** Turns the session into a signed JWT (RFC 7519) and sends it to the upstream as `Authorization: Bearer`. */
export const idToken = defineMutator({
  name: 'id_token',
  config,
  async create(settings, setup) {
    const { template = '' } = settings
    const mint = template === '' ? await ownMint(settings, setup) : namedTemplate(template, settings, setup).mint
    return {
      owns: ['authorization'],
      mutate: (exchange) => {
        const token = mint(exchange)
        return typeof token === 'string' ? bearer(token) : token.then(bearer)
      },
    }
  },
})

function namedTemplate(name: string, { claims = '' }: Config, { tokenTemplates }: Setup): TokenTemplate {
  if (claims !== '') {
    throw new ConfigError(
      'claims and template exclude each other: a template brings its own claims',
      ['template'],
      "Take out one of them; a rule takes out what the config says with `claims: ''` or `template: ''`.",
    )
  }
  const found = tokenTemplates.get(name)
  if (found !== undefined) return found
  const names = [...tokenTemplates.keys()]
  const meant = closest(name, names)
  const known = names.length === 0 ? 'There are none.' : `There are: ${names.join(', ')}.`
  throw new ConfigError(
    `There is no template "${name}" in session.whoami.tokenizer.templates`,
    ['template'],
    meant === undefined ? known : `Did you mean "${meant}"?`,
  )
}

async function ownMint(settings: Config, setup: Setup): Promise<Mint> {
  const { safeguards, clock, randomUUID, tokens } = setup
  // The schema asks for both where there is no template.
  const { issuer_url: issuer = '', jwks_url: jwksUrl = '', ttl } = settings
  const keySet = await setup.keys.load(jwksUrl, ttl)
  const claims = claimsOf(settings.claims, setup)
  checkLifetime(ttl, safeguards, setup)
  const key = signingKey(keySet, safeguards)
  for (const { message, path, hint } of adviceOn(settings.claims, key instanceof GatewayError ? undefined : key.alg))
    setup.report('warning', message, ['claims', ...path], hint)
  if (key instanceof GatewayError) {
    setup.report('error', key.reason ?? key.message, ['jwks_url'], MAKE_A_KEY)
    return () => {
      throw key
    }
  }
  return createMint({ issuer, ttl, jwksUrl, key, claims, safeguards, clock, randomUUID, tokens })
}

/** Tokens are used again and again, and so is what is made of them. */
const mutations = new Map<string, Mutation>()
const mostMutations = 2000

function bearer(token: string): Mutation {
  let mutation = mutations.get(token)
  if (mutation === undefined) {
    mutation = { edits: [['authorization', `Bearer ${token}`]] }
    if (mutations.size >= mostMutations) mutations.clear()
    mutations.set(token, mutation)
  }
  return mutation
}

function claimsOf(
  claims: string | Record<string, unknown> | undefined,
  { safeguards, templates }: Pick<Setup, 'safeguards' | 'templates'>,
): ClaimsTemplate | undefined {
  try {
    return compileClaims(claims as string | JsonObject | undefined, safeguards, templates)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.message, ['claims', ...error.path], error.hint, error.within)
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
