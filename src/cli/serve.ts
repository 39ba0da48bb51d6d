import { Command } from 'commander'
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
    .action(async () => {
      const files = configFiles(command, terminal.env)
      const { serve } = await import('./serve_run.ts')
      exit(await serve(terminal, files))
    })
  return withExamples(command, [
    'mintkeeper serve -c mintkeeper.yaml',
    'mintkeeper serve -c mintkeeper.yaml -c production.yaml',
  ])
}
