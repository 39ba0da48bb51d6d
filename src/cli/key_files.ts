/** Key sets as files: the private one for its owner only and never overwritten, the public one for every verifier. */
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import type { JWK } from 'jose'
import { publicHalf, readKey } from '../tokens/key.ts'
import { CommandError } from './terminal.ts'

/** A JSON Web Key Set (RFC 7517 section 5). */
export interface KeySetText {
  readonly keys: readonly JWK[]
}

/**
 * Writes a private key set to a file that must not exist yet, mode 0600. With `keep` a file that is there stays.
 * Resolves to whether it was written; throws CommandError when the file exists or cannot be written.
 */
export async function writePrivate(file: string, keys: KeySetText, keep: boolean): Promise<boolean> {
  const draft = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(draft, keySetText(keys), { mode: 0o600, flag: 'wx' })
    // A link appears as a whole and, unlike a rename, never takes the place of another file.
    await link(draft, file)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw notWritten(file, error)
    if (keep) return false
    throw new CommandError(`${file} exists, and tokens may be signed with its key: it stays as it is.`, {
      hint: 'Name another file, or add --keep to go on with the key that is there.',
    })
  } finally {
    await rm(draft, { force: true })
  }
}

/** Replaces a file by the public halves of a key set, mode 0644. Throws CommandError. */
export async function writePublic(file: string, keys: KeySetText): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(draft, keySetText({ keys: publicHalves(keys) }), { mode: 0o644, flag: 'wx' })
    await rename(draft, file)
  } catch (error) {
    throw notWritten(file, error)
  } finally {
    await rm(draft, { force: true })
  }
}

/** Reads what an earlier run wrote. Throws CommandError; never quotes the file. */
export async function readPrivate(file: string): Promise<KeySetText> {
  try {
    const { keys } = JSON.parse(await readFile(file, 'utf8')) as { readonly keys?: readonly JWK[] }
    if (Array.isArray(keys)) return { keys }
  } catch (error) {
    if (codeOf(error) !== undefined) throw new CommandError(`${file} cannot be read (${codeOf(error)}).`)
  }
  throw new CommandError(`${file} is not a JSON Web Key Set.`)
}

/** Pretty, as people and diffs like it. */
export const keySetText = (keys: KeySetText): string => `${JSON.stringify(keys, null, 2)}\n`

/** Throws KeyProblem for an entry that is no key, CommandError when no key has a public half. */
export function publicHalves({ keys }: KeySetText): readonly JWK[] {
  const halves = keys.map((key, index) => publicHalf(readKey(key, index + 1))).filter((half) => half !== undefined)
  if (halves.length > 0) return halves
  throw new CommandError('A symmetric key has no public half: whoever can verify with it can sign with it.', {
    hint: 'Use ES256 to give verifiers a key that cannot sign.',
  })
}

function notWritten(file: string, error: unknown): unknown {
  const code = codeOf(error)
  return code === undefined ? error : new CommandError(`${file} cannot be written (${code}).`)
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}
