/**
 * What Mintkeeper's two outer parts cost without anything between them: `node bench/floor.ts <port> <upstream port> proxy` is node's
 * HTTP server with Mintkeeper's HTTP client, `… alone` node's HTTP server that answers by itself. No gateway on them can cost less.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ResponseHandler } from '../src/outbound/http1/connection.ts'
import type { ResponseHead } from '../src/outbound/http1/response_head.ts'
import { OriginPools } from '../src/outbound/origin_pools.ts'
import { PausableRequest } from '../src/proxy/pausable_request.ts'
import { body } from './answers.ts'

const [port, upstreamPort, kind] = process.argv.slice(2)
const pool = new OriginPools().open(`http://127.0.0.1:${upstreamPort}`)
const bytes = Buffer.from(body)
const answerHead = ['Content-Type', 'application/json', 'Content-Length', String(bytes.length)]
const ofConnection = new Set(['connection', 'keep-alive', 'host'])

const endToEnd = (raw: readonly string[]): string[] => {
  const list: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    if (!ofConnection.has(raw[i]!.toLowerCase())) list.push(raw[i]!, raw[i + 1]!)
  }
  return list
}

/** Relays answers of one piece. */
class Relay implements ResponseHandler {
  readonly #response: ServerResponse
  #last: Buffer | undefined

  constructor(response: ServerResponse) {
    this.#response = response
  }

  onRequestStart(): void {
    // Nothing is ever taken back.
  }

  onResponseStart({ status, fields }: ResponseHead): void {
    this.#response.writeHead(status, endToEnd(fields))
  }

  onResponseData(piece: Buffer): void {
    if (this.#last !== undefined) this.#response.write(this.#last)
    this.#last = piece
  }

  onResponseEnd(): void {
    this.#response.end(this.#last)
  }

  onResponseError(): void {
    this.#response.destroy()
  }
}

const relay = ({ method = 'GET', url: path = '/', rawHeaders }: IncomingMessage, response: ServerResponse): void => {
  const limits = { headersTimeout: 120_000, bodyTimeout: 120_000 }
  const headers = endToEnd(rawHeaders)
  pool.dispatch({ method, path, headers, body: undefined, upgrades: false, ...limits }, new Relay(response))
}

const answer = (_request: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, answerHead).end(bytes)
}

createServer(
  { IncomingMessage: PausableRequest, optimizeEmptyRequests: true, keepAliveTimeout: 75_000, noDelay: true },
  kind === 'alone' ? answer : relay,
).listen(Number(port), '127.0.0.1')
