import type { Safeguards } from '../../pipeline/contract/safeguards.ts'
import type { TemplateSettings } from '../../pipeline/contract/setup.ts'
import type { JsonObject } from '../../pipeline/contract/values.ts'
import { handlebarsClaims } from './handlebars.ts'
import { goClaims } from './go.ts'
import type { RenderedClaims } from './template.ts'

/**
 * Compiles claims in the language that their form tells: an object has Handlebars in its strings, a string is
 * Oathkeeper's Go template. An empty string means none. Throws ConfigError with the path inside the claims.
 */
export function compileClaims(
  claims: string | JsonObject | undefined,
  { missing_field: missingField }: Pick<Safeguards, 'missing_field'>,
  templates: TemplateSettings = {},
): RenderedClaims | undefined {
  if (claims === undefined || claims === '') return undefined
  return typeof claims === 'string'
    ? goClaims(claims, { missingField, templates })
    : handlebarsClaims(claims, { missingField })
}
