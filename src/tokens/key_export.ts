/** The public keys as a file, for verifiers that read one instead of fetching it, and how they hear of a change. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { JWK } from 'jose'
import type { Log } from '../pipeline/contract/runtime.ts'

export interface KeyExportSettings {
  /** Absolute, or relative to the working directory. */
  readonly file: string
  /** Program and arguments, run without a shell after the file has changed. */
  readonly command?: readonly string[] | undefined
  readonly signal?: NodeJS.Signals | undefined
  /** Names the process that gets the signal. */
  readonly pid_file?: string | undefined
}

export interface KeyExport {
  /**
   * Writes the keys unless the file has them already, and tells of it in the background. What fails is logged, and tried
   * again until it works or the next call says otherwise. Resolves when the file has been written, or could not be.
   */
  update(settings: KeyExportSettings | undefined, keys: readonly JWK[]): Promise<void>
  close(): void
}

/** Milliseconds. */
const COMMAND_TIMEOUT = 30_000
const RETRY = 10_000

const run = promisify(execFile)

export function createKeyExport(log: Pick<Log, 'info' | 'error'>, retryAfter = RETRY): KeyExport {
  let wanted: { readonly settings: KeyExportSettings; readonly text: string } | undefined
  /** The file has changed, and nobody has been told. */
  let untold = false
  let retry: NodeJS.Timeout | undefined
  let work: Promise<void> = Promise.resolve()

  function again(file: string, problem: string): void {
    log.error({ file, problem }, 'The public keys could not be exported; trying again')
    clearTimeout(retry)
    retry = setTimeout(() => void next(), retryAfter)
    retry.unref()
  }

  async function write(): Promise<void> {
    if (wanted === undefined) return
    const { settings, text } = wanted
    const { file } = settings
    try {
      if (await replaceUnlessSame(file, text)) {
        untold = true
        log.info({ file }, 'Exported the public keys')
      }
    } catch (error) {
      again(file, `cannot be written (${codeOf(error)})`)
      return
    }
    if (untold) void tell(settings)
  }

  async function tell(settings: KeyExportSettings): Promise<void> {
    untold = false
    try {
      await tellOf(settings)
    } catch (error) {
      untold = true
      again(settings.file, error instanceof TellingFailed ? error.message : codeOf(error))
    }
  }

  // One at a time: the last to write must be the last to have been asked.
  const next = (): Promise<void> => (work = work.then(write))

  return {
    update(settings, keys) {
      clearTimeout(retry)
      // An empty set comes of key sets that cannot be read; a verifier that forgets its keys refuses everybody.
      wanted = settings === undefined || keys.length === 0 ? undefined : { settings, text: textOf(keys) }
      return next()
    },
    close() {
      wanted = undefined
      clearTimeout(retry)
    },
  }
}

const textOf = (keys: readonly JWK[]): string => `${JSON.stringify({ keys }, null, 2)}\n`

/** Whether the file was another one. It is never seen half written. */
async function replaceUnlessSame(file: string, text: string): Promise<boolean> {
  const before = await readFile(file, 'utf8').catch(() => undefined)
  if (before === text) return false
  const draft = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(draft, text, { mode: 0o644, flag: 'wx', flush: true })
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
  return true
}

/** What went wrong in words that hold nothing of the command's arguments or output, which may be secret. */
class TellingFailed extends Error {}

async function tellOf({ command, signal, pid_file: pidFile }: KeyExportSettings): Promise<void> {
  const [program, ...args] = command ?? []
  if (program !== undefined) {
    await run(program, args, { timeout: COMMAND_TIMEOUT }).catch((error: unknown) => {
      throw new TellingFailed(`the command failed (${codeOf(error)})`)
    })
  }
  if (signal === undefined || pidFile === undefined) return
  const text = await readFile(pidFile, 'utf8').catch((error: unknown) => {
    throw new TellingFailed(`pid_file cannot be read (${codeOf(error)})`)
  })
  const pid = Number(text.trim())
  if (!Number.isInteger(pid) || pid < 2) throw new TellingFailed('pid_file does not hold the id of a process')
  try {
    process.kill(pid, signal)
  } catch (error) {
    throw new TellingFailed(`the process of pid_file cannot be signalled (${codeOf(error)})`)
  }
}

/** `ENOENT`, an exit code, or the signal that ended the program. */
function codeOf(error: unknown): string {
  const { code, signal } = error as { readonly code?: unknown; readonly signal?: unknown }
  if (typeof code === 'string') return code
  if (typeof code === 'number') return `exit code ${code}`
  return typeof signal === 'string' ? signal : 'unknown reason'
}
