import { z } from 'zod'
import { duration } from '../../documents/duration.ts'
import { admin } from './revocation.ts'

const port = z.int().min(0).max(65_535)
const everywhere = 'Address to listen on; empty means all interfaces.'

const timeout = z
  .strictObject({
    read: duration.prefault('5s').describe('How long a client may send nothing in the middle of a request.'),
    write: duration.prefault('120s').describe('How long a response may stand still; a stream that keeps moving is not cut.'),
    idle: duration.prefault('120s').describe('How long a connection is kept open between two requests.'),
  })
  .prefault({})
  .describe('Limits on idleness, never on the whole of a request or response.')

const cors = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Answer preflight requests and add CORS headers.'),
    allowed_origins: z
      .array(z.string().min(1))
      .default(['*'])
      .describe('Origins such as https://app.example.com, with * for a label; * alone allows every origin.'),
    allowed_methods: z
      .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'TRACE', 'PATCH']))
      .default(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      .describe('Methods that a page of another origin may use.'),
    allowed_headers: z
      .array(z.string().min(1))
      .default(['Authorization', 'Content-Type'])
      .describe('Request headers that such a page may set.'),
    exposed_headers: z.array(z.string().min(1)).default(['Content-Type']).describe('Response headers that such a page may read.'),
    allow_credentials: z.boolean().default(false).describe('Whether such a page may send cookies.'),
    max_age: z.int().default(0).describe('Seconds for which a browser may remember a preflight; 0 leaves it to the browser.'),
    debug: z.boolean().default(false).describe('No effect; accepted for compatibility.'),
  })
  .prefault({})
  .describe('Cross-origin resource sharing.')

const pem = z
  .strictObject({
    path: z.string().min(1).optional().describe('File with the PEM.'),
    base64: z.string().min(1).optional().describe('The PEM itself, in base64; goes before `path`.'),
  })
  .optional()

type Pem = z.output<typeof pem>
const hasPem = (value: Pem): boolean => value?.path !== undefined || value?.base64 !== undefined

const tls = z
  .strictObject({
    key: pem.describe('Private key.'),
    cert: pem.describe('Certificate chain.'),
  })
  .refine((value) => hasPem(value.key) === hasPem(value.cert), { error: 'must have both a key and a certificate' })
  .optional()
  .describe('Serve HTTPS; without it plain HTTP.')

const websockets = z
  .strictObject({
    max: z.int().min(0).default(10_000).describe('Open WebSockets in all; further ones are answered with 503.'),
    max_per_session: z
      .int()
      .min(0)
      .default(20)
      .describe('Open WebSockets of one session; further ones are answered with 429. 0 for no limit.'),
    ping: duration
      .prefault('30s')
      .describe('How long either side of a WebSocket may be silent before it is asked for a sign of life; 0s for never.'),
  })
  .prefault({})
  .describe('Limits on WebSockets.')

const http2 = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Offer HTTP/2 beside HTTP/1.1 to clients of the TLS listener.'),
    max_concurrent_streams: z
      .int()
      .min(1)
      .max(10_000)
      .default(100)
      .describe('Requests that one connection may have under way at a time.'),
  })
  .prefault({})
  .describe('HTTP/2 for clients, where `tls` is set. Upstreams are spoken to with HTTP/1.1.')

const endpoint = z.enum(['jwks', 'whoami'])

const endpoints = z
  .array(
    z.union([
      endpoint,
      z.strictObject({
        name: endpoint.describe('What is answered.'),
        path: z.string().startsWith('/').describe('Where, instead of its usual path.'),
      }),
    ]),
  )
  .default([])
  .describe(
    'What the proxy answers itself, to GET, before any rule: `jwks` is the key set of the API at /.well-known/jwks.json, `whoami` the session of the caller at /sessions/whoami, also as a token (`tokenize_as`).',
  )

const proxy = z
  .strictObject({
    port: port.default(4455).describe('Port of the reverse proxy.'),
    host: z.string().default('').describe(everywhere),
    trust_forwarded_headers: z
      .boolean()
      .default(false)
      .describe('Believe X-Forwarded-For, -Host, -Proto and -Uri of the client: only behind a proxy that sets them.'),
    max_connections: z
      .int()
      .min(1)
      .default(10_000)
      .describe('Open connections of clients, for each worker; further ones are closed at once.'),
    timeout,
    cors,
    tls,
    http2,
    websockets,
    endpoints,
  })
  .prefault({})
  .describe('The reverse proxy: every path is proxied.')

const api = z
  .strictObject({
    port: port.default(4456).describe('Port of the API: health, decisions, rules, JWKS.'),
    host: z.string().optional().describe(`${everywhere} Default: empty with profile oathkeeper, 127.0.0.1 with secure.`),
    allowed_hosts: z
      .array(z.string().min(1))
      .optional()
      .describe(
        'Host names besides the loopback ones under which the API answers; * for any. Default: * with profile oathkeeper, none with secure.',
      ),
    admin,
    timeout,
    cors,
    tls,
  })
  .prefault({})
  .describe('The API: health, decisions, rules and JWKS. Not for the open internet.')

const prometheus = z
  .strictObject({
    port: port.default(9000).describe('Port of the metrics.'),
    host: z.string().optional().describe(`${everywhere} Default: empty with profile oathkeeper, 127.0.0.1 with secure.`),
    metrics_path: z.string().startsWith('/').default('/metrics').describe('Path of the metrics.'),
    metric_name_prefix: z
      .string()
      .regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'must be the beginning of a metric name: letters, digits, _ and :')
      .default('ory_oathkeeper_')
      .describe('Beginning of the names of the metrics.'),
    hide_request_paths: z.boolean().default(false).describe('Leave the label `request` empty.'),
    collapse_request_paths: z.boolean().default(true).describe('Shorten the label `request` to the first path segment.'),
  })
  .prefault({})
  .describe('Metrics in the Prometheus format.')

const shutdown = z
  .strictObject({
    drain: duration
      .optional()
      .describe(
        'How long after SIGTERM requests are still accepted while /health/ready already answers 503: as long as load balancers take to notice. SIGINT (Ctrl-C) skips it. Default: 0s with profile oathkeeper, 5s with secure.',
      ),
    grace: duration.prefault('25s').describe('How long requests under way may then take to finish; what is left is cut off.'),
  })
  .prefault({})
  .describe('How the gateway stops.')

export const serve = z
  .strictObject({ proxy, api, prometheus, shutdown })
  .prefault({})
  .describe('The three listeners, and how they stop.')
