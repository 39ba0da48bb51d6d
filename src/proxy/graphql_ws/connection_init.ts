/** The message that begins a GraphQL connection, rebuilt so that nobody but the gateway says who the client is. */
import type { HeaderEdit } from '../../pipeline/contract/headers.ts'
import type { WebSocketSettings } from '../../pipeline/contract/upstream.ts'
import type { Json, JsonObject } from '../../pipeline/contract/values.ts'
import { forwarded, headerName, identity } from '../header_names.ts'

/** Names under which servers look for credentials, without what tells spellings apart, and without `X-` in front. */
const credentials = new Set([
  'authorization',
  'authentication',
  'proxyauthorization',
  'auth',
  'authtoken',
  'accesstoken',
  'bearertoken',
  'idtoken',
  'jwt',
  'token',
  'bearer',
  'apikey',
  'cookie',
  'cookies',
  'session',
  'sessiontoken',
])

/** Deeper payloads are refused: nobody nests connection parameters so far, and each level takes stack. */
const deepest = 32

/**
 * The message with the client's payload less everything that could be taken for a credential or for a header of the
 * gateway's, at any depth, and with the edits where `place` says. Undefined for a payload that is nested too deep.
 */
export function rebuildInit(
  payload: Json | undefined,
  edits: readonly HeaderEdit[],
  place: WebSocketSettings['graphql'],
): string | undefined {
  if (payload !== undefined && isDeeper(payload, deepest)) return undefined
  const owned = new Set(edits.map(([name]) => headerName(name).alias))
  const cleaned = payload === undefined ? undefined : clean(payload, owned)
  if (place === undefined || place === 'upgrade') {
    return JSON.stringify({ type: 'connection_init', ...(cleaned !== undefined && { payload: cleaned }) })
  }
  const set = Object.fromEntries(
    edits.flatMap(([name, value]) => (value === null ? [] : [[headerCase(name), value] as const])),
  )
  const kept = isObject(cleaned) ? cleaned : {}
  if (place === 'payload') return JSON.stringify({ type: 'connection_init', payload: { ...kept, ...set } })
  const headers = isObject(kept['headers']) ? kept['headers'] : {}
  return JSON.stringify({ type: 'connection_init', payload: { ...kept, headers: { ...headers, ...set } } })
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1))
}

function clean(value: Json, owned: ReadonlySet<string>): Json {
  if (Array.isArray(value)) return value.map((item) => clean(item, owned))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isGuarded(name, owned))
      .map(([name, item]) => [name, clean(item, owned)]),
  )
}

function isGuarded(name: string, owned: ReadonlySet<string>): boolean {
  // Spaces at the ends, as a server may trim them.
  const { traits, alias } = headerName(name.trim())
  if ((traits & (identity | forwarded)) !== 0 || owned.has(alias) || name === '__proto__') return true
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  return credentials.has(plain.startsWith('x') ? plain.slice(1) : plain) || plain.startsWith('xhasura')
}

/** `Authorization` rather than `authorization`: JavaScript servers read it by this name. */
const headerCase = (name: string): string =>
  name.toLowerCase().replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
