import { z } from 'zod'
import { defineAuthorizer } from '../contract/handler.ts'
import { remoteDecision, remoteFields } from '../remote_decision.ts'

/** Lets a service decide that gets the body of the request. */
export const remote = defineAuthorizer({
  name: 'remote',
  config: z.strictObject({
    ...remoteFields,
    max_body_bytes: z
      .int()
      .min(0)
      .default(1024 * 1024)
      .describe('Bytes of a request body, which is held in memory meanwhile; a larger one is refused with 413.'),
  }),
  create(config, setup) {
    const ask = remoteDecision(config, setup)
    return {
      async authorize(exchange) {
        const { headers, readBody } = exchange.inbound
        return ask(exchange, { type: headers.get('content-type'), body: await readBody?.(config.max_body_bytes) })
      },
      owns: config.forward_response_headers_to_upstream.map((name) => name.toLowerCase()),
    }
  },
})
