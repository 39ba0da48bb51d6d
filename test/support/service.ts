import type { IncomingHttpHeaders } from 'node:http'
import { startServer } from './http_server.ts'

export interface ServiceCall {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface ServiceAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends the connection instead. */
  readonly broken?: boolean
}

export interface Service extends AsyncDisposable {
  readonly url: string
  readonly calls: readonly ServiceCall[]
}

/** A service that reads each call to its end and answers it; `index` counts from 0. Use it with `await using`. */
export async function startService(
  answer: (call: ServiceCall, index: number) => ServiceAnswer | undefined,
): Promise<Service> {
  const calls: ServiceCall[] = []
  const server = await startServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const call = { method, url, headers, body: Buffer.concat(chunks).toString() }
      calls.push(call)
      const told = answer(call, calls.length - 1)
      // Without an answer the call is left to wait.
      if (told === undefined) return
      if (told.broken === true) response.destroy()
      else response.writeHead(told.status ?? 200, told.headers).end(told.body)
    })
  })
  return { url: server.url, calls, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
