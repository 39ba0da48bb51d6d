import { Command } from 'commander'
import { configFiles } from './config_files.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'

interface Options {
  readonly header?: readonly string[]
  readonly session?: string
}

/** `explain METHOD URL`: which rule a request matches and why not the others, and what becomes of it. */
export function explainCommand({ terminal }: CommandContext): Command {
  const command = new Command('explain')
    .description(
      'Show which rule a request matches and why the others do not, what each step says, and what reaches the upstream. ' +
        'The upstream is not called; the session store is, unless --session stands in for it.',
    )
    .argument('<method>', 'method of the request')
    .argument('<url>', 'URL of the request, as the client sees it')
    .option(
      '-H, --header <line>',
      'a request header; repeat it for more',
      (line: string, lines: readonly string[] | undefined) => [...(lines ?? []), line],
    )
    .option('--session <file>', "JSON file with the session store's answer, instead of asking it")
    .action(async (method: string, url: string, { header = [], session }: Options) => {
      const files = configFiles(command, terminal.env)
      const { explain } = await import('./explain_run.ts')
      await explain(terminal, files, { method, url, headers: header }, session)
    })
  return withExamples(command, [
    'mintkeeper explain GET https://app.example/notes -c mintkeeper.yaml --session whoami.json',
    "mintkeeper explain POST http://127.0.0.1:4455/v1/graphql -c mintkeeper.yaml -H 'Cookie: ory_kratos_session=…'",
  ])
}
