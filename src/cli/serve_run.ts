import { destination } from 'pino'
import { ProblemsError } from '../documents/problem.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../gateway.ts'
import { ListenError, type Address, type Addresses } from '../listeners.ts'
import type { LogTarget } from '../telemetry/log.ts'
import { batchLines } from '../telemetry/log_batch.ts'
import { version } from '../version.ts'
import { workerSlot } from '../workers/slot.ts'
import {
  CommandError,
  count,
  GREEN,
  paint,
  printProblems,
  RULES_UNCHECKED,
  type ExitCode,
  type Terminal,
} from './terminal.ts'

/** What a gateway is started with beside the files and the environment. */
type Extras = Pick<GatewayOptions, 'base' | 'handlers' | 'peers'>

/** Starts the gateway, tells where it listens, and resolves when it has stopped. */
export async function serve(
  terminal: Terminal,
  files: readonly string[],
  extras: Extras = {},
  tell = printBanner,
): Promise<ExitCode> {
  const gateway = await start(terminal, files, extras)
  const addresses = await listen(terminal, gateway)
  // Whoever reads the banner may send a signal at once.
  const stopped = untilStopped(terminal, gateway)
  tell(terminal, gateway, addresses)
  return stopped
}

/** The same as one of several processes: the primary tells what is to be told, and when to stop. */
export async function serveAsWorker(terminal: Terminal, files: readonly string[]): Promise<ExitCode> {
  try {
    return await serveUntilDismissed(terminal, files)
  } finally {
    // The channel to the primary would keep the process alive.
    if (process.connected) process.disconnect()
  }
}

async function serveUntilDismissed(terminal: Terminal, files: readonly string[]): Promise<ExitCode> {
  const [{ obey, shareRevocations, tellEnding, tellListening }, { createSharedMetrics }] = await Promise.all([
    import('../workers/worker.ts'),
    import('../workers/worker_metrics.ts'),
  ])
  const metrics = createSharedMetrics()
  const gateway = await start(terminal, files, { peers: { shareMetrics: metrics.share, shareRevocations } })
  const addresses = await listen(terminal, gateway)
  const endsWithin = (): number => {
    const { drain, grace } = gateway.config.serve.shutdown
    return drain + grace
  }
  const stopped = new Promise<ExitCode>((resolve, reject) => {
    let stopping = false
    const stop = (ready: () => Promise<void>): void => {
      if (stopping) return
      stopping = true
      tellEnding(endsWithin())
      ready()
        .then(() => gateway.close())
        .then(() => metrics.tellLast())
        .then(() => resolve(0), reject)
    }
    obey({
      reload: () => {
        gateway.reload().catch(reject)
      },
      retire: () => stop(() => gateway.retire()),
      stop: (drain) => stop(drain ? () => gateway.drain() : () => Promise.resolve()),
    })
    // A terminal sends Ctrl-C to every process, and so do some supervisors with SIGTERM; the primary knows what it means.
    process.on('SIGINT', () => undefined)
    process.on('SIGTERM', () => undefined)
    process.on('SIGHUP', () => undefined)
    process.on('SIGUSR2', () => undefined)
  })
  let banner = ''
  printBanner({ ...terminal, err: (text) => void (banner += text) }, gateway, addresses)
  tellListening(banner, endsWithin())
  return stopped
}

/**
 * The log is stdout. To a pipe or a file it is written behind the requests' backs, as many lines at once as have come
 * together; what is left is flushed when the process ends, however that comes about.
 */
function logTarget(terminal: Terminal): LogTarget {
  if (process.stdout.isTTY) return { write: (line) => terminal.out(line), isTTY: true, color: terminal.colorOut }
  const shared = workerSlot() !== undefined
  // Several processes write to it: a write of up to 4 KiB to a pipe is never torn (POSIX, PIPE_BUF).
  const stream = destination({ dest: process.stdout.fd, sync: false, ...(shared && { maxWrite: 4096 }) })
  const target = batchLines((lines) => {
    if (shared) for (const line of lines) stream.write(line)
    else stream.write(lines.join(''))
  })
  // Before the stream writes out what it has itself.
  process.prependListener('beforeExit', target.flush)
  process.prependListener('exit', target.flush)
  return target
}

async function start(terminal: Terminal, files: readonly string[], extras: Extras): Promise<Gateway> {
  try {
    return await createGateway({
      configFiles: files,
      env: terminal.env,
      logTarget: logTarget(terminal),
      ...extras,
    })
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error
    printProblems(terminal, error.problems)
    if (error.configOnly) terminal.err(`${RULES_UNCHECKED}\n`)
    const errors = error.problems.filter(({ severity }) => severity === 'error').length
    throw new CommandError(`Not started because of ${count(errors, 'error')} in config or rules.`, {
      hint: 'Correct what is shown above. `mintkeeper validate` checks without starting.',
    })
  }
}

async function listen(terminal: Terminal, gateway: Gateway): Promise<Addresses> {
  try {
    return await gateway.listen()
  } catch (error) {
    if (!(error instanceof ListenError)) throw error
    printProblems(terminal, gateway.problems)
    throw new CommandError(`${error.message}.`, { hint: listenHint(error) })
  }
}

function listenHint({ key, code }: ListenError): string {
  const port = `The port is the config's ${key}: set another one there or with ${variable(key)}`
  if (code === 'EADDRINUSE') return `${port}, or stop the other program.`
  if (code === 'EACCES') return `${port}, or let the process use ports below 1024 (CAP_NET_BIND_SERVICE).`
  const host = key.replace(/port$/, 'host')
  return `The host is the config's ${host}: set an address of this machine there or with ${variable(host)}, or none to listen on all of them.`
}

/** Oathkeeper's name of the environment variable for a key. */
const variable = (key: string): string => key.toUpperCase().replaceAll('.', '_')

function printBanner(terminal: Terminal, { config, problems }: Gateway, { proxy, api, metrics }: Addresses): void {
  printProblems(terminal, problems)
  const name = paint(`Mintkeeper ${version}`, GREEN, terminal.colorErr)
  terminal.err(
    `${name} (profile ${config.profile})\n` +
      `  proxy    ${url(proxy)}\n  API      ${url(api)}\n  metrics  ${url(metrics)}\n`,
  )
}

/** An address as it can be opened on this machine. */
export function url({ host, port, tls }: Address): string {
  const anywhere = host === '' || host === '0.0.0.0' || host === '::'
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return `${tls ? 'https' : 'http'}://${name}:${port}${anywhere ? ' (all interfaces)' : ''}`
}

/** Resolves when the gateway has closed. */
function untilStopped(terminal: Terminal, gateway: Gateway): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) {
        terminal.err(`${signal} again: stopping at once.\n`)
        process.exit(1)
      }
      stopping = true
      terminal.err(`${signal}: finishing what is under way; once more to stop at once.\n`)
      // Who presses Ctrl-C waits; who sends SIGTERM has a load balancer to tell first.
      const ready = signal === 'SIGTERM' ? gateway.drain() : Promise.resolve()
      ready.then(() => gateway.close()).then(() => resolve(0), reject)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    process.on('SIGHUP', () => {
      // What is wrong with the files is in the log; what was in force stays.
      gateway.reload().catch(reject)
    })
  })
}
