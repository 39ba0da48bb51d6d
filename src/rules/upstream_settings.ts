/** How an upstream is spoken to: said once for all in the config, and over it in a rule's `upstream`. */
import { z } from 'zod'
import { durationText } from '../documents/duration.ts'

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

export interface UpstreamSettings {
  readonly tls?: z.output<typeof upstreamTls> | undefined
  readonly timeout?: z.output<typeof upstreamTimeout> | undefined
}
