/** Key sets as files: the private one for its owner only and never overwritten, the public one for every verifier. */
import { randomUUID } from 'node:crypto'
import { link, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { JWK } from 'jose'
import { publicHalf, readKey, type KeyEntry } from '../tokens/key.ts'
import { parseKeys } from '../tokens/key_set.ts'
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

/** A key set as it stands in a file. */
export interface KeySetFile {
  readonly entries: readonly KeyEntry[]
  /** What the file says beside its keys. */
  readonly rest: object
}

/** Reads a key set, or a single key. Throws CommandError; never quotes the file. */
export async function readKeySetFile(file: string): Promise<KeySetFile> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') {
      throw new CommandError(`${file} does not exist.`, {
        hint: `Make one with \`mintkeeper jwks generate --out ${file}\`.`,
      })
    }
    throw code === undefined ? error : new CommandError(`${file} cannot be read (${code}).`)
  }
  const entries = parseKeys(text)
  const document = JSON.parse(text) as object
  return { entries, rest: 'keys' in document ? document : {} }
}

/**
 * Replaces the keys of a file at one stroke, and leaves its owner and mode as they were: whoever reads it goes on reading
 * it. A symbolic link stays one. Throws CommandError.
 */
export async function replacePrivate(file: string, { rest }: KeySetFile, keys: readonly JWK[]): Promise<void> {
  try {
    const target = await realpath(file)
    const { mode, uid, gid } = await stat(target)
    const draft = `${target}.${randomUUID()}.tmp`
    try {
      const handle = await open(draft, 'wx', 0o600)
      try {
        await handle.writeFile(keySetText({ ...rest, keys }))
        if (process.getuid?.() === 0) await handle.chown(uid, gid)
        await handle.chmod(mode & 0o777)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(draft, target)
      await syncFolder(path.dirname(target))
    } finally {
      await rm(draft, { force: true })
    }
  } catch (error) {
    throw notWritten(file, error)
  }
}

/** A rename is on the disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
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
