/** What the tests of the files for containers share: reading them, and running the binary as a container would. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import { environment } from '../support/environment.ts'

/** The repository's root. */
export const root = path.join(import.meta.dirname, '..', '..')

export const text = (file: string): string => readFileSync(path.join(root, file), 'utf8')

/** One YAML document, with merge keys (`<<`) as Compose reads them. */
export const yaml = (file: string): unknown => parse(text(file), { merge: true })

/** All YAML documents of a file; throws for the first that is not well-formed. */
export function yamlDocuments(file: string): unknown[] {
  return parseAllDocuments(text(file)).map((document) => {
    const [error] = document.errors
    if (error !== undefined) throw error
    return document.toJS() as unknown
  })
}

/** The default of each `${NAME:-default}`, as Compose interpolates without any variable set. */
export const interpolated = (value: string): string =>
  value.replaceAll(/\$\{[A-Z_]+:-(?<fallback>[^}]*)\}/gu, '$<fallback>')

export interface Run {
  readonly exitCode: number | null
  readonly out: string
  readonly err: string
}

/** The binary in a folder of its own choice and with no environment but the given. */
export function mintkeeper(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Run> {
  const child = spawn(process.execPath, [path.join(root, 'src', 'bin.ts'), ...args], {
    cwd,
    env: { ...environment, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('utf8')))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, out, err }))
  })
}

/** A tag that names one version: no `latest`, and not none, which means the same. */
export function isPinned(image: string): boolean {
  const tag = /:(?<tag>[^/:]+)$/u.exec(image)?.groups?.['tag'] ?? 'latest'
  return tag !== 'latest'
}
