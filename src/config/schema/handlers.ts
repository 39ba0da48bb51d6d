import { z } from 'zod'
import type { AnyHandler } from '../../pipeline/contract/handler.ts'

type Kind = AnyHandler['kind']

export interface Settings {
  readonly enabled: boolean
  readonly config?: unknown
}

/** A handler's block: on, with a config that is complete, or off, with whatever may stand there. */
function block({ kind, name, config }: AnyHandler): z.ZodType<Settings> {
  // Oathkeeper's one handler that needs no switching on; without it a refusal could not be answered.
  const onByDefault = kind === 'errors' && name === 'json'
  const meaning = 'Whether rules can use this handler.'
  const enabled = z.literal(true).describe(meaning)
  const disabled = z.literal(false).describe(meaning)
  const optional = config.safeParse({}, { jitless: true }).success
  return z.discriminatedUnion('enabled', [
    z.strictObject({
      enabled: onByDefault ? enabled.default(true) : enabled,
      config: optional ? config.optional() : config,
    }),
    z.strictObject({
      enabled: onByDefault ? disabled : disabled.default(false),
      config: z.unknown().optional().describe("Settings that rules would build on."),
    }),
  ])
}

function blocks(kind: Kind, handlers: readonly AnyHandler[]) {
  const entries = handlers.filter((handler) => handler.kind === kind).map((handler) => [handler.name, block(handler)] as const)
  // A block that is not written is one without keys: off, except for `json`.
  return z.strictObject(Object.fromEntries(entries.map(([name, schema]) => [name, schema.prefault({})]))).prefault({})
}

/** The sections `authenticators`, `authorizers`, `mutators` and `errors` for the handlers that there are. */
export function handlerSections(handlers: readonly AnyHandler[]) {
  return {
    authenticators: blocks('authenticators', handlers).describe('Handlers that find out who a request comes from.'),
    authorizers: blocks('authorizers', handlers).describe('Handlers that decide whether it may.'),
    mutators: blocks('mutators', handlers).describe('Handlers that tell the upstream who it is.'),
    errors: z
      .strictObject({
        fallback: z
          .array(z.string())
          .default(['json'])
          .describe('Error handlers for rules without `errors` and for requests without a rule; the first that matches answers.'),
        handlers: blocks('errors', handlers).describe('Handlers that answer requests that were not allowed.'),
      })
      .prefault({})
      .describe('What a client gets that is not let through.'),
  }
}
