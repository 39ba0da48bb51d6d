import { z } from 'zod'
import { compoundDuration, duration } from '../../documents/duration.ts'

const accepted = z.unknown().optional().describe("No effect; Kratos' own section can stand here as it is.")

const evaluation = z
  .strictObject({
    worker: z
      .boolean()
      .default(false)
      .describe(
        'Evaluate the mapper on a thread of its own, which is killed when it takes too long: for mappers of people who are not trusted.',
      ),
    timeout: duration.prefault('300ms').describe('How long such a thread may take.'),
  })
  .prefault({})
  .describe('Where a claims mapper is evaluated. Its steps, memory and output are limited in either case.')

const template = z
  .strictObject({
    jwks_url: z
      .string()
      .min(1)
      .describe(
        'The key set, of which the first key signs: file:// (absolute or relative to the working directory), base64://, http(s)://.',
      ),
    claims_mapper_url: z
      .string()
      .optional()
      .describe(
        'Jsonnet that makes the claims: file:// (absolute or relative to the working directory), base64://, http(s)://. Empty or absent: the registered claims alone.',
      ),
    claims: z
      .union([z.string(), z.record(z.string(), z.unknown())])
      .optional()
      .describe('In the place of a mapper: claims as the mutator id_token takes them.'),
    ttl: compoundDuration.prefault('10m').describe('Lifetime of a token, such as 1h30m.'),
    subject_source: z
      .enum(['id', 'external_id'])
      .default('id')
      .describe("The claim `sub`: the identity's id, or its external_id, which it then must have."),
    issuer_url: z
      .string()
      .min(1)
      .optional()
      .describe("The claim `iss`, verbatim. Absent: `kratos.public_url`; Kratos itself writes its serve.public.base_url."),
    token_lifetime: z
      .enum(['session', 'ttl'])
      .default('session')
      .describe('Whether a token ends with its session at the latest, or always lives for its ttl as in Kratos.'),
    evaluation,
  })
  .describe('One kind of token.')

const templateName = z.string().regex(/^[a-zA-Z0-9_.-]+$/, 'must be of letters, digits, _, . and -')

export const session = z
  .strictObject({
    whoami: z
      .strictObject({
        tokenizer: z
          .strictObject({
            templates: z
              .record(templateName, template)
              .default({})
              .describe("Kratos' tokenizer templates by name: for `template` of id_token, and for `tokenize_as`."),
          })
          .prefault({})
          .describe('Tokens made of sessions.'),
        required_aal: accepted,
      })
      .prefault({})
      .describe('The session as a client sees it.'),
    lifespan: accepted,
    earliest_possible_extend: accepted,
    cookie: accepted,
  })
  .prefault({})
  .describe("Kratos' section of this name.")
