/** Where a rule's requests go, and how that is spoken to. */
import { hash } from 'node:crypto'
import { parseDuration } from '../documents/parse_duration.ts'
import type { Locate, Problem } from '../documents/problem.ts'
import type { TlsPart } from '../outbound/tls.ts'
import type { LoadedRule } from '../rules/rule.ts'
import type { RuleRewrite } from '../rules/rewrite.ts'
import type { RuleUpstream, UpstreamSettings } from '../rules/upstream.ts'
import type { RuleWebSocket } from '../rules/websocket.ts'
import type { Safeguards } from './contract/safeguards.ts'
import type {
  ResponseRewrite,
  UpstreamConnection,
  UpstreamHeaders,
  UpstreamTarget,
  UrlPlace,
  WebSocketSettings,
} from './contract/upstream.ts'
import type { UpstreamTlsLoader } from './upstream_tls.ts'

export interface UpstreamInput {
  readonly sessionStoreUrl: string | undefined
  /** Of the config; a rule's own go over them, key by key. */
  readonly defaults: UpstreamSettings
  readonly safeguards: Pick<Safeguards, 'websockets'>
  /** Finds places in the config. */
  readonly locate: Locate
  readonly tls: UpstreamTlsLoader
}

export interface CompiledUpstream {
  /** Absent for a rule that only serves /decisions, and for one whose upstream cannot be used. */
  readonly target?: UpstreamTarget
  readonly problems: readonly Problem[]
}

/** Takes a rule whose `upstream.url` has been checked. */
export async function compileUpstream(loaded: LoadedRule, input: UpstreamInput): Promise<CompiledUpstream> {
  const { upstream } = loaded.rule
  const url = URL.parse(upstream.url)
  if (url === null) return { problems: [] }
  const { connection, problems } = await compileConnection(url, loaded, input)
  if (problems.some(({ severity }) => severity === 'error')) return { problems }
  const strip = (upstream.strip_prefix ?? upstream.strip_path).split('/').filter((segment) => segment !== '')
  const timeout = { ...input.defaults.timeout, ...upstream.timeout }
  const maxBody = upstream.max_body_bytes ?? input.defaults.max_body_bytes
  const headers = headersOf(upstream)
  const webSocket = webSocketOf(upstream.websocket ?? (input.safeguards.websockets === 'any' ? undefined : false))
  const target = {
    origin: url.origin,
    basePath: url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname,
    preserveHost: upstream.preserve_host,
    stripPath: strip.length === 0 ? '' : `/${strip.join('/')}`,
    ...(upstream.strip_prefix !== undefined && { stripsPrefixOnly: true }),
    passCredentials: isExempt(upstream, input.sessionStoreUrl),
    ...(headers !== undefined && { headers }),
    ...(connection !== undefined && { connection }),
    ...(timeout.response !== undefined && { responseTimeout: milliseconds(timeout.response) }),
    ...(timeout.idle !== undefined && { idleTimeout: milliseconds(timeout.idle) }),
    ...(maxBody !== undefined && { maxBody }),
    ...(webSocket !== undefined && { webSocket }),
    ...(upstream.rewrite !== undefined && { rewrite: rewriteOf(upstream.rewrite) }),
  }
  return { target, problems }
}

/** Whether the client's session credentials and Authorization reach the upstream of a rule. */
export function passesCredentials(
  upstream: RuleUpstream,
  sessionStoreUrl: string | undefined,
  safeguards: Pick<Safeguards, 'client_headers'>,
): boolean {
  if (isExempt(upstream, sessionStoreUrl)) return true
  return upstream.credentials !== 'drop' && (upstream.client_headers ?? safeguards.client_headers) === 'pass'
}

/** The session store itself, and what a rule says is to be trusted like it. */
function isExempt({ url, credentials }: RuleUpstream, sessionStoreUrl = ''): boolean {
  return credentials === 'pass' || (URL.canParse(url) && URL.parse(url)?.origin === URL.parse(sessionStoreUrl)?.origin)
}

function headersOf(upstream: RuleUpstream): UpstreamHeaders | undefined {
  const { client_headers, forwarded_headers, session_cookie_responses, credentials } = upstream
  const headers: UpstreamHeaders = {
    ...(client_headers !== undefined && { client_headers }),
    ...(forwarded_headers !== undefined && { forwarded_headers }),
    ...(session_cookie_responses !== undefined && { session_cookie_responses }),
    ...(credentials === 'drop' && { credentials }),
  }
  return Object.keys(headers).length === 0 ? undefined : headers
}

function webSocketOf(written: RuleWebSocket | undefined): WebSocketSettings | false | undefined {
  if (written === undefined || written === false) return written
  const { allowed_origins = [], graphql, recheck = '60s', max_message } = written === true ? {} : written
  // Messages that pass as bytes are not held; those that are read are, whole.
  const longest = graphql === undefined ? 16_777_216 : 1_048_576
  return {
    allowedOrigins: allowed_origins,
    recheck: milliseconds(recheck),
    maxMessage: max_message ?? longest,
    ...(graphql !== undefined && { graphql: graphql.credentials ?? 'upgrade' }),
  }
}

function rewriteOf({ urls = [], bodies = false, cookies }: RuleRewrite): ResponseRewrite {
  return {
    urls: urls.map(({ from, to }) => ({ from: placeOfUrl(from), to: placeOfUrl(to) })),
    bodies,
    ...(cookies !== undefined && { cookies: { domain: cookies.domain ?? '', secure: cookies.secure ?? 'match' } }),
  }
}

/** Of a URL or path whose form has been checked. */
function placeOfUrl(text: string): UrlPlace {
  const { origin, pathname } = new URL(text, 'http://own')
  const path = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname
  return text.startsWith('/') ? { path } : { origin, path }
}

interface CompiledConnection {
  readonly connection?: UpstreamConnection
  readonly problems: readonly Problem[]
}

async function compileConnection(
  { origin, protocol }: URL,
  { rule, locate }: LoadedRule,
  { defaults, tls, locate: locateConfig }: UpstreamInput,
): Promise<CompiledConnection> {
  const own = rule.upstream.tls
  const written = { ...defaults.tls, ...own }
  const connect = rule.upstream.timeout?.connect ?? defaults.timeout?.connect
  const connectTimeout = connect === undefined ? undefined : milliseconds(connect)
  const encrypted = protocol === 'https:'
  const problems: Problem[] = []
  if (!encrypted && own !== undefined) {
    const place = locate(['upstream', 'tls'])
    const message = '"upstream.tls" has no effect: the upstream is spoken to without TLS'
    problems.push({ severity: 'warning', message, hint: 'Write https:// in upstream.url.', ...(place && { place }) })
  }
  const files = { ca: written.ca?.path, cert: written.cert?.path, key: written.key?.path }
  const usesTls = encrypted && Object.values(files).some((path) => path !== undefined)
  const limits = limitsOf({ ...defaults.limits, ...rule.upstream.limits })
  if (!usesTls && connectTimeout === undefined && limits === undefined) return { problems }
  const loaded = usesTls ? await tls.load(files, placeOf) : { problems: [] }
  const digest = loaded.tls?.digest ?? ''
  return {
    connection: {
      key: hash('sha256', JSON.stringify([origin, connectTimeout, digest, limits]), 'base64url'),
      ...(connectTimeout !== undefined && { connectTimeout }),
      ...(loaded.tls !== undefined && { tls: loaded.tls.context }),
      ...(limits !== undefined && { limits }),
    },
    problems: [...problems, ...loaded.problems],
  }

  function placeOf(part: TlsPart): Problem['place'] {
    const path = ['upstream', 'tls', part, 'path']
    return own?.[part] === undefined ? locateConfig(path) : locate(path)
  }
}

function limitsOf({
  connections,
  waiting,
  wait,
}: NonNullable<UpstreamSettings['limits']>): UpstreamConnection['limits'] {
  if (connections === undefined && waiting === undefined && wait === undefined) return undefined
  return {
    ...(connections !== undefined && { connections }),
    ...(waiting !== undefined && { waiting }),
    ...(wait !== undefined && { waitTimeout: milliseconds(wait) }),
  }
}

/** Of a duration whose form has been checked. */
const milliseconds = (text: string): number => parseDuration(text) ?? 0
