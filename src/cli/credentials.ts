import { Command } from 'commander'
import { algorithms } from '../tokens/algorithms.ts'
import { withExamples } from './help.ts'
import type { KeySetText } from './key_files.ts'
import type { CommandContext } from './main.ts'
import { CommandError, type Terminal } from './terminal.ts'

interface Options {
  readonly alg: string
  readonly kid?: string
  readonly bits?: string
  readonly out?: string
  readonly keep?: true
  readonly publicOut?: string
}

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
    .action(async (options: Options) => {
      const { KeyProblem } = await import('../tokens/key.ts')
      try {
        await run(options, terminal)
      } catch (error) {
        if (error instanceof KeyProblem) throw new CommandError(error.message)
        throw error
      }
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

async function run(options: Options, terminal: Terminal): Promise<void> {
  const { alg, kid, bits, out, keep = false, publicOut } = options
  if (keep && out === undefined) throw new CommandError('--keep needs --out.', { exitCode: 2 })
  const { generateKeySet } = await import('../tokens/generate.ts')
  const { keySetText, publicHalves, readPrivate, writePrivate, writePublic } = await import('./key_files.ts')
  let keys: KeySetText = await generateKeySet({ alg, kid, bits: bits === undefined ? undefined : Number(bits) })
  // Before anything is printed or written.
  if (publicOut !== undefined) publicHalves(keys)
  if (out === undefined) terminal.out(keySetText(keys))
  else if (await writePrivate(out, keys, keep)) terminal.err(`Wrote ${out}.\n`)
  else {
    keys = await readPrivate(out)
    terminal.err(`Kept ${out}.\n`)
  }
  if (publicOut === undefined) return
  await writePublic(publicOut, keys)
  terminal.err(`Wrote ${publicOut}.\n`)
}
