import { Command } from 'commander'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'
import type { ClaimsTestOptions } from './claims_run.ts'

/** `claims test`: what a token would say of a session, by a template in any of the three languages. */
export function claimsCommand({ terminal }: CommandContext): Command {
  const test = new Command('test')
    .description(
      'Show the claims that a template makes of a session. The template is a file (.jsonnet: a claims mapper; .yaml, .yml or ' +
        '.json: an object with Handlebars in its strings; anything else: a Go template), or the name of a template of the config.',
    )
    .argument('<template>', 'file, or name in session.whoami.tokenizer.templates')
    .requiredOption('--session <file>', "JSON file with the session store's answer")
    .option('--issuer <url>', 'the claim iss, for a file', 'https://issuer.example/')
    .option('--ttl <duration>', 'lifetime of the token, for a file', '10m')
    .option('--profile <profile>', 'for a file: with oathkeeper a field that is missing counts as empty', 'secure')
    .action(async (template: string, options: ClaimsTestOptions) => {
      const { config = [] } = test.optsWithGlobals<{ config?: readonly string[] }>()
      const { testClaims } = await import('./claims_run.ts')
      await testClaims(terminal, config, template, options)
    })
  const command = new Command('claims').description('Try out what tokens say.')
  command.addCommand(
    withExamples(test, [
      'mintkeeper claims test hasura.jsonnet --session whoami.json',
      'mintkeeper claims test postgrest -c mintkeeper.yaml --session whoami.json',
    ]),
  )
  return withExamples(command, ['mintkeeper claims test hasura.jsonnet --session whoami.json'])
}
