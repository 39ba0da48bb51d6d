/** Where a rule's requests go, and how that is spoken to: the latter also once for all in the config. */
import { z } from 'zod'
import { durationText } from '../documents/duration.ts'
import { type RuleRewrite, rewriteSchema } from './rewrite.ts'
import { type RuleWebSocket, webSocketSchema } from './websocket.ts'

const file = (meaning: string) =>
  z
    .strictObject({
      path: z.string().min(1).describe('Path of the file, absolute or relative to the working directory.'),
    })
    .optional()
    .describe(meaning)

export const upstreamTls = z
  .strictObject({
    ca: file('PEM file of the certificates that may have signed the upstream’s; only these are trusted.'),
    cert: file('PEM file of the certificate, and its chain, that the gateway shows to the upstream.'),
    key: file('PEM file of the private key of `cert`.'),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), {
    error: 'must have both a key and a certificate, or neither',
  })

export const upstreamTimeout = z.strictObject({
  connect: durationText
    .optional()
    .describe('Name look-up, TCP and TLS of a new connection together; 0s for no limit. Default: 2s.'),
  response: durationText
    .optional()
    .describe('From the whole request to the head of the response; 0s for no limit. Default: 120s.'),
  idle: durationText
    .optional()
    .describe('How long a response may stand still; 0s for no limit. Default: `serve.proxy.timeout.write`.'),
})

export const maxBodyBytes = z.int().min(0)

export const upstreamLimits = z.strictObject({
  connections: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('Connections at the same time, each with one request. Default: 1024.'),
  waiting: z
    .int()
    .min(0)
    .optional()
    .describe('Requests that may wait for a connection; further ones are answered with 503 at once. Default: 1024.'),
  wait: durationText
    .optional()
    .describe('How long a request waits for a connection before it is answered with 503. Default: 1s.'),
})

export interface UpstreamSettings {
  readonly max_body_bytes?: number | undefined
  readonly tls?: z.output<typeof upstreamTls> | undefined
  readonly timeout?: z.output<typeof upstreamTimeout> | undefined
  readonly limits?: z.output<typeof upstreamLimits> | undefined
}

/** `upstream` of a rule. */
export interface RuleUpstream extends UpstreamSettings {
  /** Empty for a rule that serves /decisions only. */
  readonly url: string
  readonly preserve_host: boolean
  readonly strip_path: string
  /** Like `strip_path`, but only ever at the beginning of the request's path. */
  readonly strip_prefix?: string
  readonly credentials?: 'pass' | 'drop'
  readonly client_headers?: 'pass' | 'drop'
  readonly forwarded_headers?: 'none' | 'set'
  readonly session_cookie_responses?: 'pass' | 'drop'
  readonly websocket?: RuleWebSocket
  readonly rewrite?: RuleRewrite
}

export const upstreamSchema = z
  .strictObject({
    url: z
      .string()
      .optional()
      .describe(
        'Where allowed requests go: http(s)://host:port and a path prefix. Without it the rule serves /decisions only.',
      ),
    preserve_host: z
      .boolean()
      .optional()
      .describe("Send the client's Host header instead of the upstream's host. Default: false."),
    strip_path: z.string().optional().describe('Path prefix that is taken off before forwarding, such as /api.'),
    strip_prefix: z
      .string()
      .regex(/^\//, 'must begin with "/"')
      .optional()
      .describe(
        "Whole segments that are taken off the beginning of the request's path before forwarding, such as /api. Unlike `strip_path` never elsewhere, in any profile. Only one of the two may be given.",
      ),
    credentials: z
      .enum(['pass', 'drop'])
      .optional()
      .describe(
        "Whether this upstream gets the client's session cookie, session token and Authorization. Default: as `client_headers` says; the session store itself always gets them.",
      ),
    client_headers: z
      .enum(['pass', 'drop'])
      .optional()
      .describe('`safeguards.client_headers` for this rule. Default: as the config says.'),
    forwarded_headers: z
      .enum(['none', 'set'])
      .optional()
      .describe('`safeguards.forwarded_headers` for this rule. Default: as the config says.'),
    session_cookie_responses: z
      .enum(['pass', 'drop'])
      .optional()
      .describe('`safeguards.session_cookie_responses` for this rule. Default: as the config says.'),
    websocket: webSocketSchema
      .optional()
      .describe(
        'Whether, and how, requests of this rule may become WebSockets. Default: as `safeguards.websockets` says.',
      ),
    rewrite: rewriteSchema
      .optional()
      .describe(
        'What of the answers is rewritten, so that browsers stay on the gateway’s address. Default: they pass as they are.',
      ),
    max_body_bytes: maxBodyBytes
      .optional()
      .describe('How large a request’s body may be; more is answered with 413. Over that of the config.'),
    tls: upstreamTls.optional().describe('Certificates for an https upstream, over those of the config.'),
    timeout: upstreamTimeout.optional().describe('Limits on waiting for this upstream, over those of the config.'),
    limits: upstreamLimits
      .optional()
      .describe('How much this upstream is given to do at a time, over what the config says.'),
  })
  .refine(({ strip_path = '', strip_prefix }) => strip_path === '' || strip_prefix === undefined, {
    error: 'must have only one of "strip_path" and "strip_prefix"',
  })
