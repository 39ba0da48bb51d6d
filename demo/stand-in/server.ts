/**
 * A stand-in for Ory Kratos, for the demo and for tests only: its public and its admin API as far as a gateway can
 * see them, with two users, everything in memory, and knobs to make it slow, broken, rate limited or forgetful.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { sessionCookie } from './cookies.ts'
import type { Kratos } from './credentials.ts'
import { ApiError, databaseUnavailable, notFound } from './errors.ts'
import { wantsJson, type Call, type Reply } from './http.ts'
import { alice, bob, type Identity } from './identities.ts'
import { errorPage, notice } from './pages.ts'
import { adminRoutes, publicRoutes, type Router } from './routes.ts'
import { defaultSettings, type Settings } from './settings.ts'
import { createStore, type AuthenticationMethod, type SessionRow, type Store } from './store.ts'

const bodyLimit = 1024 * 1024

export interface StandInOptions {
  readonly host?: string
  /** 0 or absent: any free port. */
  readonly publicPort?: number
  readonly adminPort?: number
  readonly settings?: Partial<Settings>
}

export interface SignedIn {
  readonly row: SessionRow
  readonly token: string
  /** `name=value`, ready for a Cookie header. */
  readonly cookie: string
}

export interface StandIn {
  /** Without trailing slashes. */
  readonly publicUrl: string
  readonly adminUrl: string
  /** May be changed at any time. */
  readonly settings: Settings
  readonly store: Store
  readonly alice: Identity
  readonly bob: Identity
  /** How often each credential was checked by /sessions/whoami; '' counts the calls without a credential. */
  readonly calls: Map<string, number>
  /** Names of the OpenTelemetry span events that Kratos would have sent. */
  readonly events: readonly string[]
  signIn(identity: Identity, methods?: AuthenticationMethod[]): SignedIn
  close(): Promise<void>
}

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimit) throw new ApiError(413, { message: 'The request body is too large' })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headersDistinct[name]?.[0]
  return value === '' ? undefined : value
}

/** A browser that follows a link gets a page, everybody else JSON. */
const errorReply = (call: Call, error: ApiError): Reply => {
  const common = { 'Ory-Error-Id': error.id, ...error.headers }
  if (
    call.url.pathname.startsWith('/self-service/') &&
    !wantsJson(call) &&
    call.header('accept')?.includes('text/html')
  ) {
    const page = errorPage(error)
    return { ...page, headers: { ...page.headers, ...common } }
  }
  return {
    status: error.status,
    headers: { 'Content-Type': 'application/json', ...common },
    body: JSON.stringify(error.body(call.header('x-request-id'))),
  }
}

const answer = async (router: Router, call: Call): Promise<Reply> => {
  try {
    const match = router(call)
    if (match === undefined) throw notFound()
    return await match.route(call, match.parameters)
  } catch (error) {
    if (error instanceof ApiError) return errorReply(call, error)
    throw error
  }
}

const write = (call: Call, reply: Reply, response: ServerResponse): void => {
  response.setHeader('Server', `kratos-stand-in (${notice})`)
  response.setHeader('Vary', 'Cookie')
  if (call.method === 'GET') response.setHeader('Cache-Control', 'private, no-cache, no-store, must-revalidate')
  response.writeHead(reply.status, reply.headers as Record<string, string | string[]>)
  response.end(reply.body)
}

const serve = (router: Router, delay: () => number): Server =>
  createServer((request, response) => {
    const handle = async (): Promise<void> => {
      const call: Call = {
        method: request.method ?? 'GET',
        url: new URL(`http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`),
        request,
        body: await readBody(request),
        header: (name) => header(request, name),
      }
      const milliseconds = delay()
      if (milliseconds > 0) await sleep(milliseconds, undefined, { ref: false })
      write(call, await answer(router, call), response)
    }
    handle().catch(() => response.destroy())
  })

const listen = async (server: Server, port: number, host: string): Promise<string> => {
  server.listen(port, host)
  await once(server, 'listening')
  return `http://${host}:${(server.address() as AddressInfo).port}`
}

const close = async (server: Server): Promise<void> => {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/** Starts both ports; rejects with node's error (such as EADDRINUSE) when one cannot be opened. */
export const createStandIn = async (options: StandInOptions = {}): Promise<StandIn> => {
  const { host = '127.0.0.1', publicPort = 0, adminPort = 0 } = options
  const people = { alice: alice(), bob: bob() }
  const settings = defaultSettings('')
  const kratos: Kratos = { settings, store: createStore(Object.values(people)), calls: new Map(), events: [] }

  const admin = adminRoutes(kratos)
  const guarded: Router = (call) => {
    if (settings.databaseDown && !call.url.pathname.includes('/health/')) throw databaseUnavailable()
    return admin(call)
  }
  const publicServer = serve(publicRoutes(kratos), () => settings.latency)
  const adminServer = serve(guarded, () => 0)
  const stop = async (): Promise<void> => {
    await Promise.all([close(publicServer), close(adminServer)])
  }

  try {
    const publicUrl = await listen(publicServer, publicPort, host)
    const adminUrl = await listen(adminServer, adminPort, host)
    Object.assign(settings, defaultSettings(publicUrl), options.settings)
    return {
      publicUrl,
      adminUrl,
      settings,
      store: kratos.store,
      ...people,
      calls: kratos.calls,
      events: kratos.events,
      signIn(identity, methods) {
        const now = settings.now()
        const { lifespan } = settings
        const row = kratos.store.createSession(identity, { now, lifespan, ...(methods && { methods }) })
        return { row, token: row.token, cookie: sessionCookie(row, settings).split(';', 1)[0] ?? '' }
      },
      close: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
