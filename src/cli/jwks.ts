import { Command, Option } from 'commander'
import { parseDuration } from '../documents/parse_duration.ts'
import { algorithms } from '../tokens/algorithms.ts'
import { configFiles } from './config_files.ts'
import { withExamples } from './help.ts'
import type { GenerateOptions, ListOptions, PublicOptions, RotateOptions } from './jwks_run.ts'
import type { CommandContext } from './main.ts'
import { CommandError } from './terminal.ts'

const ALGORITHM = `one of ${[...algorithms.keys()].join(' ')}`

/** `jwks generate|rotate|public|list`: the keys that sign tokens, from the first one to each that follows it. */
export function jwksCommand(context: CommandContext): Command {
  const command = new Command('jwks').description('Make, rotate and look at the key sets (JWKS) that sign tokens.')
  command.addCommand(generateCommand(context))
  command.addCommand(rotateCommand(context))
  command.addCommand(publicCommand(context))
  command.addCommand(listCommand(context))
  return withExamples(command, [
    'mintkeeper jwks generate --out id_token.json',
    'mintkeeper jwks rotate id_token.json -c mintkeeper.yaml',
  ])
}

function generateCommand({ terminal }: CommandContext): Command {
  const command = new Command('generate')
    .description('Make a key set with one private key: printed, or written to a file that only you can read.')
    .option('--alg <algorithm>', ALGORITHM, 'ES256')
    .option('--kid <id>', 'key id; the RFC 7638 thumbprint of the key unless given')
    .option('--bits <number>', 'key size; the usual one of the algorithm unless given')
    .option('--out <file>', 'write the key set to this file (mode 0600) instead; never overwrites one')
    .option('--keep', 'with --out: when the file is there, go on with its keys')
    .option('--public-out <file>', 'write the public halves to this file, for verifiers that cannot fetch them')
    .action(async (options: GenerateOptions) => {
      const { generate, plainly } = await import('./jwks_run.ts')
      await plainly(generate(terminal, options))
    })
  return withExamples(command, [
    'mintkeeper jwks generate --out id_token.json --public-out public.jwks.json',
    'mintkeeper jwks generate --alg RS256 --bits 4096 --kid 2026-11 > id_token.json',
  ])
}

function rotateCommand({ terminal }: CommandContext): Command {
  const command = new Command('rotate')
    .description(
      'Replace the key that signs, without a token that anybody refuses: the new key is published first and signs after --lead, ' +
        'the old one stays published until the last token that it signed has expired. Gateways change keys at that time by themselves. ' +
        'Run it again, or from cron, at any time: it removes what has ended, and begins anew only when nothing is under way.',
    )
    .argument('<file>', 'the key set')
    .option('--lead <duration>', 'how long the new key is published before it signs', durationOf('--lead'), 600_000)
    .option(
      '--ttl <duration>',
      'the longest life of tokens that the set signs; by default what the config given with -c says, or 1h',
      durationOf('--ttl'),
    )
    .option('--skew <duration>', "how far behind verifiers' clocks may be", durationOf('--skew'), 60_000)
    .option(
      '--every <duration>',
      'leave a key alone until it has signed for so long, such as 2160h',
      durationOf('--every'),
    )
    .option('--alg <algorithm>', `of the new key: ${ALGORITHM}; by default that of the old one`)
    .option('--kid <id>', 'key id of the new key; its RFC 7638 thumbprint unless given')
    .option('--public-out <file>', 'write the public halves to this file as well')
    .option(
      '--compromised',
      'for a key that has become known: all keys go at once, the new one signs at once; verifiers refuse tokens until they have seen it',
    )
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(async (file: string, options: RotateOptions) => {
      const { plainly, rotateFile } = await import('./jwks_run.ts')
      const { config } = command.optsWithGlobals<{ config?: readonly string[] }>()
      const files = config === undefined ? undefined : configFiles(command, terminal.env)
      await plainly(rotateFile(terminal, file, options, files))
    })
  // Commander prints default values as they are parsed.
  for (const option of command.options) {
    if (typeof option.defaultValue === 'number') option.default(option.defaultValue, `${option.defaultValue / 60_000}m`)
  }
  return withExamples(command, [
    'mintkeeper jwks rotate id_token.json -c mintkeeper.yaml',
    'mintkeeper jwks rotate id_token.json --ttl 15m --every 2160h',
  ])
}

function publicCommand({ terminal }: CommandContext): Command {
  const command = new Command('public')
    .description('Print the public halves of the keys in one or more files, as verifiers need them.')
    .argument('<files...>', 'key sets')
    .option('--out <file>', 'write them to this file instead; it is replaced at one stroke')
    .action(async (files: readonly string[], options: PublicOptions) => {
      const { plainly, printPublic } = await import('./jwks_run.ts')
      await plainly(printPublic(terminal, files, options))
    })
  return withExamples(command, [
    'mintkeeper jwks public id_token.json',
    'mintkeeper jwks public id_token.json admin.json --out public.jwks.json',
  ])
}

function listCommand({ terminal }: CommandContext): Command {
  const command = new Command('list')
    .description('Show which key signs, which is next and which is retired until when; never a private half.')
    .argument('[files...]', 'key sets; without any, those of the config given with -c')
    .addOption(new Option('--format <format>', 'how to print them').choices(['text', 'json']).default('text'))
    .action(async (files: readonly string[], options: ListOptions) => {
      const { list, plainly } = await import('./jwks_run.ts')
      await plainly(list(terminal, files, options, () => configFiles(command, terminal.env)))
    })
  return withExamples(command, [
    'mintkeeper jwks list id_token.json',
    'mintkeeper jwks list -c mintkeeper.yaml --format json',
  ])
}

const durationOf =
  (option: string) =>
  (text: string): number => {
    const milliseconds = parseDuration(text)
    if (milliseconds !== undefined) return milliseconds
    throw new CommandError(`${option} must be a duration such as 15m or 24h, not ${JSON.stringify(text)}.`, {
      exitCode: 2,
    })
  }
