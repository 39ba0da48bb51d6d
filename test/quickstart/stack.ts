/** Kratos' quickstart: its config and rules, of which only host names of containers and paths in them are mapped. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createStandIn, type StandIn } from '../../demo/stand-in/server.ts'
import { createGateway } from '../../src/index.ts'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { startServer } from '../support/http_server.ts'

const files = path.join(import.meta.dirname, '..', '..', 'examples', 'kratos-quickstart')
/** Where the quickstart publishes its gateway. Requests name it as their Host, whatever port the test listens on. */
export const host = '127.0.0.1:4455'
export const publicUrl = `http://${host}`
export const kid = 'a2aa9739-d753-4a0d-87ee-61f101050277'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Quickstart extends AsyncDisposable {
  readonly kratos: StandIn
  /** What has reached the self-service UI. */
  readonly ui: readonly IncomingMessage[]
  /** Port of the API. */
  readonly api: number
  /** Decisions, as the log tells them. */
  readonly decisions: () => readonly LogLine[]
  readonly get: (target: string, options?: Options) => Promise<Answer>
}

interface LogLine {
  readonly granted?: boolean
  readonly rule_id?: string
}

interface Options {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The proxy unless said otherwise. */
  readonly port?: number
}

/** A stand-in for Kratos, a page that answers everything with 200, and the gateway in front of both. */
export async function startQuickstart(): Promise<Quickstart> {
  const stops: (() => unknown)[] = []
  const stop = async (): Promise<void> => {
    for (let end = stops.pop(); end !== undefined; end = stops.pop()) await end()
  }
  try {
    return { ...(await start(stops)), [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(stops: (() => unknown)[]): Promise<Omit<Quickstart, typeof Symbol.asyncDispose>> {
  const settings = { baseUrl: `${publicUrl}/.ory/kratos/public/`, loginUiUrl: `${publicUrl}/login` }
  const kratos = await createStandIn({ settings })
  stops.push(() => kratos.close())
  const ui = await startServer((_, response) => response.end('page'))
  stops.push(() => ui[Symbol.asyncDispose]())
  const directory = mkdtempSync(path.join(tmpdir(), 'mintkeeper-quickstart-'))
  stops.push(() => rmSync(directory, { recursive: true, force: true }))

  const mapped = (name: string): string => {
    const text = readFileSync(path.join(files, name), 'utf8')
      .replaceAll('http://kratos:4433', kratos.publicUrl)
      .replaceAll('http://kratos-selfservice-ui-node:4435', ui.url)
      .replaceAll('/etc/config/oathkeeper', directory)
    const file = path.join(directory, name)
    writeFileSync(file, text)
    return file
  }
  writeFileSync(path.join(directory, 'id_token.jwks.json'), JSON.stringify(await generateKeySet({ alg: 'RS256', kid })))
  mapped('access-rules.yml')
  const log: string[] = []
  const gateway = await createGateway({
    configFiles: [mapped('oathkeeper.yml')],
    env: freePorts,
    logTarget: { write: (line) => log.push(line) },
  })
  stops.push(() => gateway.close(0))
  const addresses = await gateway.listen()
  return {
    kratos,
    ui: ui.requests,
    api: addresses.api.port,
    decisions: () => log.map((line) => JSON.parse(line) as LogLine).filter(({ granted }) => granted !== undefined),
    get: (target, options = {}) => send(target, { port: addresses.proxy.port, ...options }),
  }
}

const freePorts = Object.fromEntries(
  ['PROXY', 'API', 'PROMETHEUS'].flatMap((plane) => [
    [`SERVE_${plane}_HOST`, '127.0.0.1'],
    [`SERVE_${plane}_PORT`, '0'],
  ]),
) as Readonly<Record<string, string>>

/** Unlike fetch, sends the target and the Host as they are given. */
function send(target: string, { method = 'GET', headers, body, port }: Options): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path: target, method, agent: false, headers: { host, ...headers } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}
