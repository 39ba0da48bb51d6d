import { readFile } from 'node:fs/promises'
import { RepositoryError } from './repository_error.ts'

/** Takes an absolute path; returns the file's text. Rejects with RepositoryError. */
export async function readRuleFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new RepositoryError(explain(path, (error as NodeJS.ErrnoException).code), undefined, { cause: error })
  }
}

function explain(path: string, code = 'unknown error'): string {
  return `The rule file ${path} ${reasons[code] ?? `cannot be read (${code})`}`
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a directory',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
}
