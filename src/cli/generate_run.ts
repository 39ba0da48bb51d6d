import type { JWK } from 'jose'
import { KeyProblem } from '../tokens/key.ts'
import { keySetText, publicHalves, readPrivate, writePrivate, writePublic, type KeySetText } from './key_files.ts'
import { CommandError, type Terminal } from './terminal.ts'

export interface GenerateOptions {
  readonly alg: string
  readonly kid?: string
  readonly bits?: string
  readonly out?: string
  readonly keep?: boolean
  readonly publicOut?: string
}

/** Prints or writes the keys that `make` makes. Throws CommandError and KeyProblem. */
export async function generateKeys(
  terminal: Terminal,
  { alg, kid, bits, out, keep = false, publicOut }: GenerateOptions,
  make: (options: {
    alg: string
    kid: string | undefined
    bits: number | undefined
  }) => Promise<{ keys: readonly JWK[] }>,
): Promise<void> {
  if (keep && out === undefined) throw new CommandError('--keep needs --out.', { exitCode: 2 })
  let keys: KeySetText = await make({ alg, kid, bits: bits === undefined ? undefined : Number(bits) })
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

/** What is wrong with a key is the user's to know, not a fault of ours. */
export async function plainly(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (error instanceof KeyProblem) throw new CommandError(error.message)
    throw error
  }
}
