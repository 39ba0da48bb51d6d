/** The two programs under comparison, each running one scenario. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freeBlock } from '../../demo/ports.ts'
import { createGateway } from '../../src/index.ts'
import type { Scenario } from './scenario.ts'

export interface Program extends AsyncDisposable {
  readonly proxyPort: number
  readonly apiPort: number
  /** What it has logged so far. */
  readonly log: () => string
}

const patience = 20_000

/** Writes the files of a scenario for listeners on three ports in a row; 0 lets the program choose. */
function writeFiles(folder: string, { config, rules }: Scenario, firstPort: number): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'rules.json'), JSON.stringify(rules))
  const serve = config['serve'] as Readonly<Record<string, object>>
  const listener = (offset: number): object => ({ host: '127.0.0.1', port: firstPort === 0 ? 0 : firstPort + offset })
  const file = path.join(folder, 'config.json')
  const whole = {
    ...config,
    serve: {
      proxy: { ...serve['proxy'], ...listener(0) },
      api: { ...serve['api'], ...listener(1) },
      prometheus: listener(2),
    },
    access_rules: {
      ...(config['access_rules'] as object),
      repositories: [`file://${path.join(folder, 'rules.json')}`],
    },
  }
  writeFileSync(file, JSON.stringify(whole, null, 2))
  return file
}

export async function startMintkeeper(folder: string, scenario: Scenario): Promise<Program> {
  const log: string[] = []
  const gateway = await createGateway({
    configFiles: [writeFiles(folder, scenario, 0)],
    env: {},
    logTarget: { write: (line) => log.push(line) },
  })
  const addresses = await gateway.listen()
  return {
    proxyPort: addresses.proxy.port,
    apiPort: addresses.api.port,
    log: () => log.join(''),
    [Symbol.asyncDispose]: () => gateway.close(0),
  }
}

/** Throws with the program's last words when it does not get ready. */
export async function startOathkeeper(binary: string, folder: string, scenario: Scenario): Promise<Program> {
  const firstPort = await freeBlock(3)
  const file = writeFiles(folder, scenario, firstPort)
  // Nothing of our environment: every variable that is named like a setting would be one.
  const child = spawn(binary, ['--config', file, 'serve', '--disable-telemetry', '--sqa-opt-out'], {
    cwd: folder,
    env: { HOME: folder, PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const hear = (chunk: Buffer): void => {
    output += chunk.toString('utf8')
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = once(child, 'close')
  const program: Program = {
    proxyPort: firstPort,
    apiPort: firstPort + 1,
    log: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
  const deadline = Date.now() + patience
  while (!(await isReady(program.apiPort))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await program[Symbol.asyncDispose]()
      throw new Error(`Oathkeeper did not start:\n${output.slice(-3000)}`)
    }
    await sleep(30)
  }
  return program
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`)
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
