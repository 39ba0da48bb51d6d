import { z } from 'zod'
import { maxBodyBytes, upstreamLimits, upstreamTimeout, upstreamTls } from '../../rules/upstream.ts'
import { extendSessions } from './revocation.ts'

export const accessRules = z
  .strictObject({
    repositories: z
      .array(z.string().min(1))
      .default([])
      .describe('Where the access rules are: file://, inline://, http://, https://, s3://, gs:// and azblob:// URLs, or paths.'),
    matching_strategy: z.enum(['regexp', 'glob']).default('regexp').describe('Language of the patterns in `match.url`.'),
  })
  .prefault({})
  .describe('The access rules.')

export const upstream = z
  .strictObject({
    max_body_bytes: maxBodyBytes.optional().describe('How large bodies of requests may be; more is answered with 413. Default: no limit.'),
    tls: upstreamTls.optional().describe('Certificates for https upstreams.'),
    timeout: upstreamTimeout.optional().describe('Limits on waiting for upstreams.'),
    limits: upstreamLimits.optional().describe('How much an upstream is given to do at a time; each has its own connections.'),
  })
  .prefault({})
  .describe("What holds for every rule's upstream, as far as the rule's own `upstream` says nothing else.")

const publicUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })

export const kratos = z
  .strictObject({
    public_url: publicUrl.optional().describe("Kratos' public API as the gateway reaches it, such as http://kratos:4433/."),
    admin_url: publicUrl.optional().describe("Kratos' admin API as the gateway reaches it, such as http://kratos:4434/."),
    cookie: z.string().min(1).default('ory_kratos_session').describe('Name of the session cookie.'),
    extend_sessions: extendSessions,
  })
  .refine((value) => value.extend_sessions === undefined || value.admin_url !== undefined, {
    error: 'needs kratos.admin_url',
    path: ['extend_sessions'],
  })
  .optional()
  .describe('Where Ory Kratos is; what needs it says so when it is missing.')
