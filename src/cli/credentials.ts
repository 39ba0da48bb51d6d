import { Command } from 'commander'
import { algorithms } from '../tokens/algorithms.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'
import { CommandError } from './terminal.ts'

interface Options {
  readonly alg: string
  readonly kid?: string
  readonly bits?: string
}

/** `credentials generate`: a new key set to sign with, on stdout. */
export function credentialsCommand({ terminal }: CommandContext): Command {
  const generate = new Command('generate')
    .description(
      'Print a new key set (JWKS) with one private key. Keep it secret: redirect it into a file only you can read.',
    )
    .requiredOption('--alg <algorithm>', `one of ${[...algorithms.keys()].join(' ')}`)
    .option('--kid <id>', 'key id; a random UUID unless given')
    .option('--bits <number>', 'key size; the usual one of the algorithm unless given')
    .action(async ({ alg, kid, bits }: Options) => {
      const { generateKeySet } = await import('../tokens/generate.ts')
      const { KeyProblem } = await import('../tokens/key.ts')
      try {
        const keys = await generateKeySet({ alg, kid, bits: bits === undefined ? undefined : Number(bits) })
        terminal.out(`${JSON.stringify(keys, null, 2)}\n`)
      } catch (error) {
        if (error instanceof KeyProblem) throw new CommandError(error.message)
        throw error
      }
    })
  const command = new Command('credentials').description('Make keys to sign tokens with.')
  command.addCommand(
    withExamples(generate, [
      '(umask 077 && mintkeeper credentials generate --alg ES256 > jwks/id_token.json)',
      'mintkeeper credentials generate --alg RS256 --bits 4096 --kid 2026-11',
    ]),
  )
  return withExamples(command, [
    'mintkeeper credentials generate --alg ES256',
    'mintkeeper credentials generate --alg EdDSA --kid 2026-11',
  ])
}
