import { z } from 'zod'

export const log = z
  .strictObject({
    level: z
      .enum(['panic', 'fatal', 'error', 'warning', 'info', 'debug', 'trace'])
      .default('info')
      .describe('The least important lines that are written.'),
    format: z
      .enum(['text', 'json', 'json_pretty', 'gelf'])
      .default('text')
      .describe('Form of the lines; `text` is for people at a terminal and becomes JSON elsewhere.'),
    leak_sensitive_values: z.boolean().default(false).describe('Accepted for compatibility; secrets are redacted in any case.'),
    redaction_text: z.string().optional().describe('What stands in the place of a secret.'),
    additional_redacted_headers: z.array(z.string().min(1)).default([]).describe('Further headers whose values are never logged.'),
  })
  .prefault({})
  .describe('Logging.')

const ratio = z.number().min(0).max(1).optional().describe('Share of the traces that are kept.')
const server = z.string().optional().describe('Address of the collector.')

export const tracing = z
  .strictObject({
    provider: z.enum(['', 'otel', 'jaeger', 'zipkin']).optional().describe('Where traces go; absent means nowhere.'),
    service_name: z.string().optional().describe('Name of this service in traces.'),
    deployment_environment: z.string().optional().describe('Name of the environment in traces.'),
    providers: z
      .strictObject({
        otlp: z
          .strictObject({
            server_url: server,
            insecure: z.boolean().optional().describe('Speak to the collector without TLS.'),
            sampling: z.strictObject({ sampling_ratio: ratio }).optional().describe('Sampling.'),
            authorization_header: z.string().optional().describe('Authorization header for the collector.'),
          })
          .optional()
          .describe('OpenTelemetry protocol.'),
        jaeger: z
          .strictObject({
            local_agent_address: z.string().optional().describe('Address of the local agent.'),
            sampling: z.strictObject({ server_url: server, trace_id_ratio: ratio }).optional().describe('Sampling.'),
          })
          .optional()
          .describe('Jaeger.'),
        zipkin: z
          .strictObject({
            server_url: server,
            sampling: z.strictObject({ sampling_ratio: ratio }).optional().describe('Sampling.'),
          })
          .optional()
          .describe('Zipkin.'),
      })
      .optional()
      .describe('Settings of each provider.'),
  })
  .optional()
  .describe('Distributed tracing.')

export const profiling = z.enum(['cpu', 'mem', '']).optional().describe('Accepted for compatibility; profile with the tools of Node.js.')
