/** A file that stands in for what the session store says. */
import { readFile } from 'node:fs/promises'
import { CommandError } from './terminal.ts'

/** The JSON text in the file. Throws CommandError (wrong usage). */
export async function readSessionFile(file: string): Promise<string> {
  try {
    const body = await readFile(file, 'utf8')
    JSON.parse(body)
    return body
  } catch (error) {
    throw new CommandError(`The session file ${file} ${whyUnusable(error)}.`, {
      exitCode: 2,
      hint: "It holds what the session store answers, such as the output of `curl -H 'Cookie: …' http://kratos:4433/sessions/whoami`.",
    })
  }
}

function whyUnusable(error: unknown): string {
  if (error instanceof SyntaxError) return 'is not JSON'
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${String(code ?? error)})`
}
