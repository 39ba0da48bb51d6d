/** The request as the API plane's routes need it: as it came over the wire when there is one, else as Fetch has it. */
import type { HttpBindings } from '@hono/node-server'
import type { Context, Env } from 'hono'
import type { Peer, RawRequest } from '../proxy/inbound.ts'

/** Absent when the app is called without a server (`app.request()`). */
export type ApiBindings = Partial<HttpBindings>

export interface ApiEnv extends Env {
  readonly Bindings: ApiBindings
}

export function rawRequest(c: Context<ApiEnv>): { readonly request: RawRequest; readonly peer: Peer } {
  const { incoming } = bindings(c.env)
  const url = new URL(c.req.url)
  if (incoming === undefined) {
    const rawHeaders = ['Host', c.req.header('host') ?? url.host]
    for (const [name, value] of c.req.raw.headers) if (name !== 'host') rawHeaders.push(name, value)
    const target = url.pathname + url.search
    const request = { method: c.req.method, url: target, rawHeaders, httpVersion: '1.1' }
    return { request, peer: { address: '127.0.0.1', tls: url.protocol === 'https:' } }
  }
  const address = incoming.socket.remoteAddress ?? ''
  return { request: incoming, peer: { address, tls: url.protocol === 'https:' } }
}

/**
 * The path to route by: the raw one. A path that is resolved first would let `/decisions/../health/alive`, sent by a
 * proxy that asks for every request of its clients, be answered with somebody else's 200.
 */
export function rawPath(request: Request, env: unknown): string {
  const { incoming } = bindings(env)
  const target = incoming?.url ?? new URL(request.url).pathname
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  return path === '/decisions' || path.startsWith('/decisions/') ? '/decisions' : path
}

/** What a server hands on beside the request; nothing when there is none. */
export const bindings = (env: unknown): ApiBindings => env ?? {}
