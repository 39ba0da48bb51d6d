import { Command } from 'commander'
import { algorithms } from '../tokens/algorithms.ts'
import type { GenerateOptions } from './generate_run.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'

/** `credentials generate`: a new key set to sign with, on stdout or in a file. */
export function credentialsCommand({ terminal }: CommandContext): Command {
  const generate = new Command('generate')
    .description('Make a new key set (JWKS) with one private key: printed, or written to a file only you can read.')
    .requiredOption('--alg <algorithm>', `one of ${[...algorithms.keys()].join(' ')}`)
    .option('--kid <id>', 'key id; a random UUID unless given')
    .option('--bits <number>', 'key size; the usual one of the algorithm unless given')
    .option('--out <file>', 'write the key set to this file (mode 0600) instead; never overwrites one')
    .option('--keep', 'with --out: when the file is there, go on with its key')
    .option('--public-out <file>', 'write the public half to this file, for verifiers that cannot fetch it')
    .action(async (options: GenerateOptions) => {
      const { generateKeys, plainly } = await import('./generate_run.ts')
      const { generateKeySet } = await import('../tokens/generate.ts')
      await plainly(generateKeys(terminal, options, generateKeySet))
    })
  const command = new Command('credentials').description('Make keys to sign tokens with.')
  command.addCommand(
    withExamples(generate, [
      'mintkeeper credentials generate --alg ES256 --out jwks/id_token.json',
      'mintkeeper credentials generate --alg RS256 --bits 4096 --kid 2026-11',
    ]),
  )
  return withExamples(command, [
    'mintkeeper credentials generate --alg ES256',
    'mintkeeper credentials generate --alg EdDSA --kid 2026-11',
  ])
}
