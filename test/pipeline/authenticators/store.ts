/** A session store that answers as a case says, and what it was asked. */
import type { ServerResponse } from 'node:http'
import { startServer, type TestServer } from '../../support/http_server.ts'

export interface StoreAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown
  /** Breaks off instead. */
  readonly transport_error?: string
}

export interface StoreRequest {
  readonly method?: string
  readonly path?: string
  readonly query?: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly headers_exact?: Readonly<Record<string, string>>
  readonly absent_headers?: readonly string[]
  readonly content_length?: number
  readonly body?: string
}

export const startStore = (answer: StoreAnswer): Promise<TestServer> =>
  startServer((_request, response) => respond(response, answer))

function respond(
  response: ServerResponse,
  { status = 200, headers = {}, body = {}, transport_error }: StoreAnswer,
): void {
  if (transport_error !== undefined) response.destroy()
  else response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** A config of the cases for the store that really runs. */
export const atStore = (config: object, store: TestServer): { check_session_url: string } => ({
  check_session_url: store.url,
  ...(JSON.parse(JSON.stringify(config).replaceAll(/http:\/\/(store|kratos:4433)/g, store.url)) as object),
})

/** The last request of the store in the form of the cases; `headers` in lower case, without what the connection needs. */
export function lastRequest({ requests, url }: TestServer): {
  method: string | undefined
  path: string
  query: string
  headers: Record<string, unknown>
} {
  const request = requests.at(-1)
  if (request === undefined) throw new Error('the session store was not asked')
  const { pathname, search } = new URL(request.url ?? '', url)
  const { host: _host, connection: _connection, ...headers } = request.headers
  return { method: request.method, path: pathname, query: search.slice(1), headers }
}
