/** What would keep the export of public keys from working, or make it destroy something. */
import { accessSync, constants, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Locate, Problem } from '../documents/problem.ts'
import type { KeyExportSettings } from './key_export.ts'

/** @param keyFiles absolute paths of the files that private keys come from */
export function exportProblems(
  settings: KeyExportSettings | undefined,
  keyFiles: readonly string[],
  locate: Locate,
): readonly Problem[] {
  if (settings === undefined) return []
  const place = locate(['jwks', 'export', 'file'])
  const problem = (message: string, hint: string): readonly Problem[] => [
    { severity: 'error', message, hint, ...(place !== undefined && { place }) },
  ]
  const file = resolve(settings.file)
  const target = realPath(file)
  if (keyFiles.some((keyFile) => realPath(keyFile) === target)) {
    return problem(
      'jwks.export.file is a file that private keys come from: the public halves would overwrite them',
      'Name another file.',
    )
  }
  try {
    accessSync(dirname(file), constants.W_OK | constants.X_OK)
    return []
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code)
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be written (${code})`
    const hint = 'Make it, and let the gateway write to it: the file is replaced, not rewritten.'
    return problem(`The folder of jwks.export.file ${why}`, hint)
  }
}

/** Of a file that may not be there yet. */
function realPath(file: string): string {
  for (const [path, rest] of [
    [file, ''],
    [dirname(file), basename(file)],
  ] as const) {
    try {
      return join(realpathSync(path), rest)
    } catch {
      continue
    }
  }
  return file
}
