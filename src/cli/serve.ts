import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { workerSlot } from '../workers/slot.ts'
import { configFiles } from './config_files.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'

/** `serve`: runs the gateway until it is told to stop. */
export function serveCommand({ terminal, exit }: CommandContext): Command {
  const command = new Command('serve')
    .description(
      'Run the gateway. SIGTERM and SIGINT (Ctrl-C) stop it gracefully, a second one at once; SIGHUP reloads.',
    )
    // Old start scripts say `serve proxy` or `serve all`.
    .argument('[ignored...]', 'accepted for compatibility, without effect')
    .option('--disable-telemetry', 'accepted for compatibility, without effect: nothing is ever reported anywhere')
    .option('--sqa-opt-out', 'accepted for compatibility, without effect')
    .addOption(
      new Option(
        '--workers <number>',
        'processes that serve together on the same ports: a number, or "auto" for one per core. SIGUSR2 replaces them one by one',
      )
        .argParser(workerCount)
        .default(1),
    )
    .action(async (_ignored: unknown, { workers }: { readonly workers: number }) => {
      const files = configFiles(command, terminal.env)
      if (workers > 1 && workerSlot() === undefined) {
        const { supervise } = await import('./serve_workers.ts')
        exit(await supervise(terminal, workers))
        return
      }
      const { serve, serveAsWorker } = await import('./serve_run.ts')
      exit(await (workerSlot() === undefined ? serve : serveAsWorker)(terminal, files))
    })
  return withExamples(command, [
    'mintkeeper serve -c mintkeeper.yaml',
    'mintkeeper serve -c mintkeeper.yaml -c production.yaml --workers auto',
  ])
}

const MAX_WORKERS = 128

function workerCount(value: string): number {
  if (value === 'auto') return availableParallelism()
  const count = Number(value)
  if (Number.isInteger(count) && count >= 1 && count <= MAX_WORKERS) return count
  throw new InvalidArgumentError(`It must be "auto" or a number from 1 to ${MAX_WORKERS}.`)
}
