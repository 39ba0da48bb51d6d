/**
 * The least that a proxy with node's HTTP server and undici's `dispatch` can do, as the yardstick for what a gateway costs on
 * top of it: no rules, no sessions, no tokens, no limits, no log. `node bench/bare_proxy.ts <port> <upstream port> [hono]`; with
 * `hono`, each request comes through a route of Hono, which hands on node's own request and response.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { Pool, type Dispatcher } from 'undici'

const pool = new Pool(`http://127.0.0.1:${process.argv[3]}`, { connections: 256, pipelining: 1 })

/** Headers that belong to one connection; Content-Length frames the body as the client did. */
const hopByHop = /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|host|expect)$/i
const classes = new Map<string, boolean>()
const passes = (name: string): boolean => {
  let pass = classes.get(name)
  if (pass === undefined) {
    pass = !hopByHop.test(name)
    classes.set(name, pass)
  }
  return pass
}

class Relay implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #left = -1
  #last: Buffer | undefined
  #controller: Dispatcher.DispatchController | undefined
  #done = false

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('close', () => {
      if (!this.#done) this.#controller?.abort(new Error('the client is gone'))
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return
    const raw = controller.rawHeaders as Buffer[]
    const headers: string[] = []
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i]!.toString('latin1')
      if (!passes(name)) continue
      const value = raw[i + 1]!.toString('latin1')
      if (name.length === 14 && name.toLowerCase() === 'content-length') this.#left = Number(value)
      headers.push(name, value)
    }
    this.#response.writeHead(status, headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#left -= chunk.length
    if (this.#left === 0) {
      this.#last = chunk
      return
    }
    if (this.#response.write(chunk) || controller.paused) return
    controller.pause()
    this.#response.once('drain', () => controller.resume())
  }

  onResponseEnd(): void {
    this.#done = true
    if (this.#last === undefined) this.#response.end()
    else this.#response.end(this.#last)
  }

  onResponseError(): void {
    this.#done = true
    if (this.#response.headersSent) this.#response.destroy()
    else this.#response.writeHead(502).end()
  }
}

const serve = (request: IncomingMessage, response: ServerResponse): void => {
  const { rawHeaders, method = 'GET', url = '/' } = request
  const headers: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (passes(rawHeaders[i]!)) headers.push(rawHeaders[i]!, rawHeaders[i + 1]!)
  }
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  pool.dispatch({ method, path: url, headers, body: hasBody ? request : null, reset: false }, new Relay(response))
}

const throughHono = (): ((request: IncomingMessage, response: ServerResponse) => void) => {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.all('*', (context) => {
    serve(context.env.incoming, context.env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  const listener = getRequestListener(app.fetch)
  return (request, response) => void listener(request, response)
}

const listener = process.argv[4] === 'hono' ? throughHono() : serve
createServer({ optimizeEmptyRequests: true, keepAliveTimeout: 75_000, noDelay: true }, listener).listen(
  Number(process.argv[2]),
  '127.0.0.1',
)
