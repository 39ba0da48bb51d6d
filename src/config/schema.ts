import { z } from 'zod'
import type { AnyHandler } from '../pipeline/contract/handler.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'
import type { JsonObject } from '../pipeline/contract/values.ts'
import type { Profile } from './profile.ts'
import { handlerSections } from './schema/handlers.ts'
import { jwks } from './schema/jwks.ts'
import { revocation } from './schema/revocation.ts'
import { accessRules, kratos, upstream } from './schema/rules.ts'
import { profile, safeguardsSection } from './schema/safeguards.ts'
import { serve } from './schema/serve.ts'
import { session } from './schema/session.ts'
import { log, profiling, tracing } from './schema/telemetry.ts'
import { templates } from './schema/templates.ts'

// Oathkeeper's pattern: a semantic version with a leading v.
const version = z
  .string()
  .regex(/^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/, 'must be a version such as "v26.2.0"')

/** The schema of the whole config for these handlers. Oathkeeper's keys, and a few more. */
export function configSchema(handlers: readonly AnyHandler[]) {
  return z
    .strictObject({
      $schema: z.string().optional().describe('JSON Schema of this file, for editors.'),
      version: version.optional().describe('Version of Oathkeeper that the file was written for; informational.'),
      profile,
      safeguards: safeguardsSection,
      serve,
      access_rules: accessRules,
      upstream,
      ...handlerSections(handlers),
      kratos,
      revocation,
      session,
      jwks,
      templates,
      log,
      tracing,
      profiling,
    })
    .describe('Config of Mintkeeper, a superset of that of Ory Oathkeeper.')
}

type Parsed = z.output<ReturnType<typeof configSchema>>
type Listener<Section> = Omit<Section, 'host' | 'allowed_hosts'> & { readonly host: string }

interface HandlerSettings {
  readonly enabled: boolean
  /** As written: rules are merged over it before the handler's schema fills in its defaults. */
  readonly config?: JsonObject
}
export type HandlerTable = Readonly<Record<string, HandlerSettings>>

/** The config in force: defaults filled in, profile applied, durations in milliseconds. */
export interface Config {
  readonly profile: Profile
  readonly safeguards: Safeguards
  readonly serve: {
    readonly proxy: Parsed['serve']['proxy']
    readonly api: Listener<Parsed['serve']['api']> & {
      /** Lower-case names without port under which the API answers; absent means any. */
      readonly allowed_hosts?: readonly string[]
    }
    readonly prometheus: Listener<Parsed['serve']['prometheus']>
    readonly shutdown: Readonly<Record<'drain' | 'grace', number>>
  }
  readonly access_rules: Parsed['access_rules']
  readonly upstream: Parsed['upstream']
  readonly authenticators: HandlerTable
  readonly authorizers: HandlerTable
  readonly mutators: HandlerTable
  readonly errors: { readonly fallback: readonly string[]; readonly handlers: HandlerTable }
  readonly kratos?: NonNullable<Parsed['kratos']>
  readonly session: Parsed['session']
  readonly jwks: Parsed['jwks']
  readonly revocation: Parsed['revocation']
  readonly templates: Parsed['templates']
  readonly log: Parsed['log']
  readonly tracing?: NonNullable<Parsed['tracing']>
  readonly profiling?: NonNullable<Parsed['profiling']>
  readonly version?: string
}

export type ParsedConfig = Parsed
