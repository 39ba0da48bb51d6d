import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createGateway, type Addresses, type AnyHandler, type Gateway } from '../../src/index.ts'

export interface GatewayInput {
  /** As in a config file; ports default to free ones on loopback. */
  readonly config?: object
  readonly rules?: readonly object[]
  readonly env?: Readonly<Record<string, string>>
  readonly watchInterval?: number
  /** Handlers beside those that ship. */
  readonly handlers?: readonly AnyHandler[]
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway
  /** Folder of `config.json` and `rules.json`. */
  readonly directory: string
  /** Every line of the log so far. */
  readonly log: readonly string[]
  write(file: string, content: unknown): void
}

export interface ListeningGateway extends TestGateway {
  readonly addresses: Addresses
  readonly proxy: string
  readonly api: string
  readonly metrics: string
}

type Sections = Readonly<Record<string, unknown>>

const loopback = { host: '127.0.0.1', port: 0 }

function withFreePorts(config: Sections): object {
  const serve = (config['serve'] ?? {}) as Readonly<Record<string, object>>
  return {
    ...config,
    serve: {
      proxy: { ...loopback, ...serve['proxy'] },
      api: { ...loopback, ...serve['api'] },
      prometheus: { ...loopback, ...serve['prometheus'] },
    },
  }
}

/** A gateway made of real files in a folder of its own; `await using` closes it and removes the folder. */
export async function loadGateway(input: GatewayInput): Promise<TestGateway> {
  const directory = mkdtempSync(path.join(tmpdir(), 'mintkeeper-test-'))
  const write = (file: string, content: unknown): void => {
    writeFileSync(path.join(directory, file), typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  }
  const log: string[] = []
  try {
    write('rules.json', input.rules ?? [])
    const repositories = { access_rules: { repositories: [`file://${directory}/rules.json`] } }
    write('config.json', withFreePorts({ ...repositories, ...input.config }))
    const gateway = await createGateway({
      configFiles: [path.join(directory, 'config.json')],
      env: { ...input.env },
      logTarget: { write: (line) => log.push(line) },
      ...(input.handlers !== undefined && { handlers: input.handlers }),
      ...(input.watchInterval !== undefined && { watchInterval: input.watchInterval }),
    })
    return {
      gateway,
      directory,
      log,
      write,
      async [Symbol.asyncDispose]() {
        await gateway.close(0)
        rmSync(directory, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

export async function startGateway(input: GatewayInput): Promise<ListeningGateway> {
  const loaded = await loadGateway(input)
  try {
    const addresses = await loaded.gateway.listen()
    const url = ({ port, tls }: { readonly port: number; readonly tls: boolean }): string =>
      `${tls ? 'https' : 'http'}://127.0.0.1:${port}`
    return {
      ...loaded,
      addresses,
      proxy: url(addresses.proxy),
      api: url(addresses.api),
      metrics: url(addresses.metrics),
    }
  } catch (error) {
    await loaded[Symbol.asyncDispose]()
    throw error
  }
}
