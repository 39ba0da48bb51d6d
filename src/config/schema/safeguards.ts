import { z } from 'zod'
import { type Safeguard, safeguards } from '../profile.ts'

function choice<Value extends string>(safeguard: Safeguard<Value>) {
  return z.enum([safeguard.oathkeeper, safeguard.secure]).optional().describe(describe(safeguard))
}

function describe(safeguard: Safeguard<string | number>): string {
  return `${safeguard.meaning} Profile oathkeeper: ${safeguard.oathkeeper}; secure: ${safeguard.secure}.`
}

export const profile = z
  .enum(['oathkeeper', 'secure'])
  .default('oathkeeper')
  .describe('Sets the defaults of `safeguards` and of the listeners: as Oathkeeper behaves, or as new gateways should.')

export const safeguardsSection = z
  .strictObject({
    path: choice(safeguards.path),
    client_headers: choice(safeguards.client_headers),
    forwarded_headers: choice(safeguards.forwarded_headers),
    session_cookie_responses: choice(safeguards.session_cookie_responses),
    websockets: choice(safeguards.websockets),
    session_request: choice(safeguards.session_request),
    session_requirements: choice(safeguards.session_requirements),
    session_unexpected_status: choice(safeguards.session_unexpected_status),
    missing_field: choice(safeguards.missing_field),
    invalid_rules: choice(safeguards.invalid_rules),
    missing_rule_files: choice(safeguards.missing_rule_files),
    missing_signing_keys: choice(safeguards.missing_signing_keys),
    token_backdate: z.int().min(0).max(300).optional().describe(describe(safeguards.token_backdate)),
    token_lifetime: choice(safeguards.token_lifetime),
  })
  .default({})
  .describe('Each setting of the profile, singly.')
