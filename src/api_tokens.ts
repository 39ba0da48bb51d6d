/** The tokens of the API's calls that change something, from the config or from files. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from './config/schema.ts'
import type { Locate, Problem } from './documents/problem.ts'

export interface ApiTokens {
  /** Of `serve.api.admin`. */
  readonly admin?: string
  /** Of `revocation.webhook`. */
  readonly webhook?: string
}

export interface LoadedApiTokens {
  readonly tokens: ApiTokens
  readonly problems: readonly Problem[]
  /** Absolute paths of the files that were read or looked for. */
  readonly files: readonly string[]
}

/** As the schema has it for a token in the config. */
const MIN_LENGTH = 16

/** Reads the files that the config names; what is wrong with one is a problem at its key. */
export function loadApiTokens({ serve, revocation }: Config, locate: Locate): LoadedApiTokens {
  const problems: Problem[] = []
  const files: string[] = []

  const read = (
    secret: { readonly token?: string | undefined; readonly token_file?: string | undefined } | undefined,
    path: readonly string[],
  ): string | undefined => {
    if (secret?.token_file === undefined) return secret?.token
    const file = resolve(secret.token_file)
    files.push(file)
    const token = contents(file)
    if (token !== undefined && token.length >= MIN_LENGTH) return token
    const what = token === undefined ? 'cannot be read' : `holds no token of at least ${MIN_LENGTH} characters`
    const place = locate([...path, 'token_file'])
    problems.push({
      severity: 'error',
      message: `The file of "${path.join('.')}.token_file" ${what}`,
      ...(place && { place }),
    })
    return undefined
  }

  const admin = read(serve.api.admin, ['serve', 'api', 'admin'])
  const webhook = read(revocation.webhook, ['revocation', 'webhook'])
  return {
    tokens: { ...(admin !== undefined && { admin }), ...(webhook !== undefined && { webhook }) },
    problems,
    files,
  }
}

function contents(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
