import { z } from 'zod'
import { duration } from '../../documents/duration.ts'

/** Long enough that nobody guesses it. */
const token = z.string().min(16, 'must have at least 16 characters')

/** A secret, written down or in a file: exactly one of the two. */
const secretFields = {
  token: token.optional().describe('The token itself; better from the environment than written down.'),
  token_file: z.string().min(1).optional().describe('File with the token; white space around it does not count.'),
}

const hasOneToken = (value: { readonly token?: string | undefined; readonly token_file?: string | undefined }): boolean =>
  (value.token === undefined) !== (value.token_file === undefined)
const oneToken = { error: 'must have either `token` or `token_file`' }

const whileDisconnected = z
  .enum(['ask', 'keep'])
  .default('ask')
  .describe(
    'What happens while this source of news is cut off: `ask` asks the session store for each request, `keep` goes on with what is remembered.',
  )

/** `serve.api.admin`. */
export const admin = z
  .strictObject({
    ...secretFields,
    allowed_networks: z
      .array(z.union([z.cidrv4(), z.cidrv6()], 'must be a network such as 10.0.0.0/8'))
      .default(['127.0.0.0/8', '::1/128'])
      .describe('Networks from which calls are taken; by the address of the connection, whatever headers say.'),
  })
  .refine(hasOneToken, oneToken)
  .optional()
  .describe('Calls that revoke what is remembered of sessions, for whoever has the bearer token. Absent: there are none.')

const webhook = z
  .strictObject(secretFields)
  .refine(hasOneToken, oneToken)
  .optional()
  .describe("Takes the calls of Kratos' hooks at POST /hooks/kratos of the API, with the bearer token.")

const database = z
  .strictObject({
    url: z
      .url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })
      .describe("Kratos' database, as a role that may connect; it needs no rights on any table."),
    channel: z.string().min(1).max(63).default('mintkeeper_revocations').describe('Channel on which the triggers notify.'),
    while_disconnected: whileDisconnected,
  })
  .optional()
  .describe("Listens to triggers in Kratos' PostgreSQL database. Needs the package pg.")

const revalidation = z
  .strictObject({
    interval: duration.prefault('30s').describe('How often each remembered session is asked for.'),
    max_per_second: z.int().min(1).max(1000).default(20).describe('Calls of one process at most; more sessions take longer.'),
  })
  .optional()
  .describe("Asks Kratos' admin API (kratos.admin_url) in the background for every remembered session.")

const redis = z
  .strictObject({
    url: z
      .url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' })
      .describe('Redis or Valkey, such as redis://user:password@redis:6379/0.'),
    channel: z.string().min(1).default('mintkeeper:revocations').describe('Channel that all gateways of one Kratos share.'),
    while_disconnected: whileDisconnected,
  })
  .optional()
  .describe('Tells all gateways of every revocation that one of them hears of. Needs the package ioredis.')

export const revocation = z
  .strictObject({
    observe: z
      .boolean()
      .default(true)
      .describe(
        'Watch logouts, settings and admin calls that pass through to kratos.public_url and kratos.admin_url.',
      ),
    refusals: z
      .boolean()
      .default(true)
      .describe('Ask again for all of a remembered session when Kratos refuses a credential of it.'),
    webhook,
    database,
    redis,
    revalidation,
  })
  .prefault({})
  .describe('How the gateway learns that a session which it remembers has ended.')

/** `kratos.extend_sessions`. */
export const extendSessions = z
  .strictObject({
    remaining: duration.describe(
      "A session that is used with less than this left is extended by Kratos' admin API; session.earliest_possible_extend of Kratos must not be less.",
    ),
    interval: duration.prefault('5m').describe('How long a session is then left alone, whatever came of it.'),
  })
  .optional()
  .describe('Lets sessions live on while they are used. Needs kratos.admin_url.')
