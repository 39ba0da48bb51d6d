/** What a rule says of the WebSockets that it lets through to its upstream. */
import { z } from 'zod'
import { durationText } from '../documents/duration.ts'

export const graphqlPlaces = ['upgrade', 'payload', 'payload_headers'] as const

const graphql = z
  .strictObject({
    credentials: z
      .enum(graphqlPlaces)
      .optional()
      .describe(
        'Where the upstream gets what the mutators set: in the headers of the `upgrade`, in the `payload` of connection_init, or in its `headers` (`payload_headers`, as Hasura reads them). Default: upgrade.',
      ),
  })
  .optional()
  .describe(
    'The sockets speak GraphQL (graphql-transport-ws or graphql-ws): credentials of the client in connection_init are dropped, and those of the gateway set.',
  )

export const webSocketSchema = z.union([
  z.boolean(),
  z.strictObject({
    allowed_origins: z
      .array(
        z
          .string()
          .regex(
            /^(\*|[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+)$/i,
            'must be an origin such as https://app.example.com, without a path',
          ),
      )
      .optional()
      .describe(
        'Origins of pages that may open one, such as https://app.example.com, with * for a label; * alone allows every origin. Pages of the host that is asked always may. Default: none beside them.',
      ),
    graphql,
    recheck: durationText
      .optional()
      .describe('How often an open socket is decided about again; 0s for never. Default: 60s.'),
    max_message: z
      .int()
      .min(1024)
      .max(1_073_741_824)
      .optional()
      .describe('Bytes of one message of the client. Default: 16777216 (16 MiB), with `graphql` 1048576 (1 MiB).'),
  }),
])

/** `upstream.websocket` of a rule. */
export type RuleWebSocket = z.output<typeof webSocketSchema>
