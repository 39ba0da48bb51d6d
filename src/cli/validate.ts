import { Command, Option } from 'commander'
import { configFiles } from './config_files.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'

/** `validate`: everything that is wrong with config, rules and keys, at once; nothing is started. */
export function validateCommand({ terminal, exit }: CommandContext): Command {
  const command = new Command('validate')
    .description(
      'Check config, rules and keys, report every problem, start nothing. Exit code 1 when there is an error. Of a config written for Oathkeeper, notes say what behaves differently and what to do.',
    )
    .addOption(new Option('--format <format>', 'how to report').choices(['text', 'json']).default('text'))
    .action(async ({ format }: { format: 'text' | 'json' }) => {
      const files = configFiles(command, terminal.env)
      const { validate } = await import('./validate_run.ts')
      exit(await validate(terminal, files, format))
    })
  return withExamples(command, [
    'mintkeeper validate -c mintkeeper.yaml',
    'mintkeeper validate -c mintkeeper.yaml --format json | jq .problems',
  ])
}
