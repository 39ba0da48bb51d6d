import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { parseDocument } from '../documents/document.ts'
import type { Environment } from '../documents/interpolate.ts'
import { isMap, type Layer, mergeLayers } from '../documents/layers.ts'
import { inReadingOrder, type Locate, type Problem } from '../documents/problem.ts'
import { validate } from '../documents/zod.ts'
import type { AnyHandler } from '../pipeline/contract/handler.ts'
import type { JsonObject } from '../pipeline/contract/values.ts'
import { environmentLayer } from './env.ts'
import { finishConfig } from './finish.ts'
import { type ReliedDefault, reliedDefaults } from './profile.ts'
import { type Config, configSchema } from './schema.ts'

export interface LoadOptions {
  /** Paths of the config files; later ones go before earlier ones. None at all means the environment alone. */
  readonly files: readonly string[]
  /** For keys as variables (`SERVE_PROXY_PORT`) and for `${NAME}` in the files. */
  readonly env: Environment
  readonly handlers: readonly AnyHandler[]
  /** What the files lie over. */
  readonly base?: JsonObject
  /** Reads a file as UTF-8; rejects as node's `readFile` does. */
  readonly read?: (path: string) => Promise<string>
}

export interface LoadedConfig {
  /** Absent when something is wrong with it. */
  readonly config?: Config
  /** The safeguards that the config leaves to its profile. */
  readonly relied: readonly ReliedDefault[]
  /** The merged files and variables, as they are written. */
  readonly written: unknown
  readonly locate: Locate
  /** Everything that is wrong, and what may be. */
  readonly problems: readonly Problem[]
  /** Absolute paths of the files that were asked for, to be watched; those that could not be read, too. */
  readonly files: readonly string[]
}

/** Reads, merges and checks the config. Never rejects: what is wrong comes back as problems, all at once. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { env, handlers } = options
  const read = options.read ?? ((path) => readFile(path, 'utf8'))
  const files = options.files.map((file) => resolve(file))
  const problems: Problem[] = []
  const layers: Layer[] = [{ value: options.base ?? {}, locate: () => undefined }]
  let readable = true
  for (const [index, file] of options.files.entries()) {
    const found = await readConfigFile(file, files[index] ?? file, env, read)
    problems.push(...found.problems)
    if (found.layer === undefined) readable = false
    else layers.push(found.layer)
  }
  const schema = configSchema(handlers)
  const merged = environmentLayer(env, schema, mergeLayers(layers))
  const { value, locate } = merged.layer
  problems.push(...merged.problems)
  // What an unreadable file may hold would only be reported as missing.
  if (!readable) return { relied: [], written: value, locate, problems, files }
  const parsed = validate(schema, value, locate)
  // A value that could not be read is not also told to be of the wrong kind.
  problems.push(
    ...parsed.problems.filter((problem) => !problems.some((known) => isError(known) && isSamePlace(known, problem))),
  )
  if (!parsed.valid || problems.some(isError))
    return { relied: [], written: value, locate, problems: inReadingOrder(problems), files }
  const config = finishConfig(parsed.value, value)
  const relied = reliedDefaults(config.profile, parsed.value.safeguards)
  return { config, relied, written: value, locate, problems, files }
}

interface ReadConfig {
  readonly layer?: Layer
  readonly problems: readonly Problem[]
}

async function readConfigFile(
  file: string,
  path: string,
  env: Environment,
  read: (path: string) => Promise<string>,
): Promise<ReadConfig> {
  const failed = (message: string, hint?: string): ReadConfig => ({
    problems: [{ severity: 'error', message, ...(hint === undefined ? {} : { hint }), place: file }],
  })
  const extension = extname(file).toLowerCase()
  if (extension === '.toml') return failed('TOML is not supported', 'Write the same keys as YAML or JSON.')
  if (!['.yaml', '.yml', '.json'].includes(extension)) {
    return failed('A config file must end in .yaml, .yml or .json', 'The ending tells the format.')
  }
  let text: string
  try {
    text = await read(path)
  } catch (error) {
    return failed(readFailure(error, path), file === path ? undefined : `The working directory is ${process.cwd()}.`)
  }
  const { document: whole, draft, problems } = parseDocument(text, file, { env })
  const document = whole ?? draft
  if (document === undefined) return { problems }
  // An empty file, or one of comments, says nothing.
  const value = document.value ?? {}
  if (!isMap(value)) {
    const place = document.locate([])
    return {
      problems: [
        ...problems,
        { severity: 'error', message: 'A config must be a map of keys', ...(place !== undefined && { place }) },
      ],
    }
  }
  return { layer: { value, locate: document.locate }, problems }
}

function readFailure(error: unknown, path: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return `The config file does not exist (looked for ${path})`
    case 'EACCES':
      return `The config file may not be read by this user (${path})`
    case 'EISDIR':
      return `The config file is a directory (${path})`
    default:
      return `The config file cannot be read (${path}): ${error instanceof Error ? error.message : String(error)}`
  }
}

function isError(problem: Problem): boolean {
  return problem.severity === 'error'
}

function isSamePlace({ place: a }: Problem, { place: b }: Problem): boolean {
  return (
    typeof a === 'object' && typeof b === 'object' && a.file === b.file && a.line === b.line && a.column === b.column
  )
}
