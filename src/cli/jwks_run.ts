import { readFile, realpath } from 'node:fs/promises'
import type { JWK } from 'jose'
import { load } from '../load.ts'
import type { KeySet } from '../pipeline/contract/keys.ts'
import { generateKey } from '../tokens/generate.ts'
import { publishedKeysMaxAge, readKeySet } from '../tokens/key_set.ts'
import type { LoadedKeySets } from '../tokens/key_sets.ts'
import { replaceAll, rotate, type Rotation } from '../tokens/rotation.ts'
import { notEnded } from '../tokens/schedule.ts'
import { generateKeys, type GenerateOptions } from './generate_run.ts'
import { type KeySetFile, keySetText, publicHalves, readKeySetFile, replacePrivate, writePublic } from './key_files.ts'
import { keyLine, keySetJson, keySetLines, moment } from './key_report.ts'
import { noSessionStore, offlineRuntime } from './offline.ts'
import { CommandError, printProblems, type Terminal } from './terminal.ts'

export { plainly } from './generate_run.ts'
export type { GenerateOptions } from './generate_run.ts'

/** Durations are milliseconds. */
export interface RotateOptions {
  readonly lead: number
  readonly ttl?: number
  readonly skew: number
  readonly every?: number
  readonly alg?: string
  readonly kid?: string
  readonly publicOut?: string
  readonly compromised?: boolean
  readonly dryRun?: boolean
}

export interface PublicOptions {
  readonly out?: string
}

export interface ListOptions {
  readonly format: 'text' | 'json'
}

/** Where no config says how long tokens live. Longer ones are warned of. */
const LONG_TTL = 3_600_000

/** `jwks generate`: a set to begin with. The key says when it was made, which tells its age later. */
export async function generate(terminal: Terminal, options: GenerateOptions): Promise<void> {
  await generateKeys(terminal, options, async (wanted) => {
    const key = { ...(await generateKey(wanted)), iat: Math.floor(Date.now() / 1000) }
    return { keys: [key] }
  })
}

/** `jwks rotate`: the next step of a rotation. Throws CommandError and KeyProblem. */
export async function rotateFile(
  terminal: Terminal,
  file: string,
  options: RotateOptions,
  configFiles: readonly string[] | undefined,
): Promise<void> {
  const { publicOut, dryRun = false, compromised = false } = options
  const set = await readKeySetFile(file)
  const { keys, changed, told } = compromised
    ? await replaced(set, options)
    : await rotated(terminal, set, options, () => lifetimeIn(terminal, configFiles, file))
  if (changed && !dryRun) await replacePrivate(file, set, keys)
  if (publicOut !== undefined && !dryRun) await writePublic(publicOut, { keys: publicHalves({ keys }) })
  terminal.out(told)
  if (dryRun && changed) terminal.err('Nothing was written: --dry-run.\n')
}

interface Step {
  readonly keys: readonly JWK[]
  readonly changed: boolean
  /** What has been done, in words. */
  readonly told: string
}

async function rotated(
  terminal: Terminal,
  { entries }: KeySetFile,
  { lead, skew, every, alg, kid, ttl }: RotateOptions,
  lifetimeByConfig: () => Promise<number>,
): Promise<Step> {
  const now = Date.now()
  const lifetime = ttl ?? (await lifetimeByConfig())
  const rotation = await rotate(entries, { now, lead, lifetime, skew, every, alg, kid })
  if (rotation.started !== undefined && lead < publishedKeysMaxAge * 1000) {
    terminal.err(`Verifiers may keep the old set for ${publishedKeysMaxAge} s, and --lead is shorter than that.\n`)
  }
  const changed = rotation.started !== undefined || rotation.removed.length > 0
  return { keys: rotation.keys, changed, told: await report(rotation, now) }
}

async function replaced({ entries }: KeySetFile, { alg, kid }: RotateOptions): Promise<Step> {
  const { keys, made, removed } = await replaceAll(entries, { now: Date.now(), alg, kid })
  const lines = [
    ...removed.map(
      (each) => `Removed ${each}: tokens that it signed are refused as soon as verifiers have seen the new set.`,
    ),
    `Added ${made.kid} (${made.alg}): signs from now on.`,
  ]
  return { keys, changed: true, told: lines.map((line) => `${line}\n`).join('') }
}

async function report({ removed, started, waits, keys }: Rotation, now: number): Promise<string> {
  const lines = removed.map((kid) => `Removed ${kid}: no token that it signed is valid any more.`)
  if (started !== undefined) {
    const { kid, alg, signsFrom, retires, publishedUntil } = started
    lines.push(
      `Added ${kid} (${alg}): published from now on, signs from ${moment(signsFrom)}.`,
      `Retired ${retires}: signs until then, published until ${moment(publishedUntil)}.`,
    )
    return lines.map((line) => `${line}\n`).join('')
  }
  const states = await readKeySet(keySetText({ keys }), '', now)
  const about = states.keys.find(({ state }) => state === (waits === 'age' ? 'signing' : 'next'))
  const why = waits === 'age' ? 'it is not yet as old as --every says' : 'a rotation is under way'
  lines.push(`No new key, because ${why}:`, ...(about === undefined ? [] : [`  ${keyLine(about)}`]))
  return lines.map((line) => `${line}\n`).join('')
}

/** The longest that tokens live which the config signs with this file, milliseconds. */
async function lifetimeIn(
  terminal: Terminal,
  configFiles: readonly string[] | undefined,
  file: string,
): Promise<number> {
  if (configFiles === undefined) return LONG_TTL
  const keySets = await keySetsOf(terminal, configFiles)
  const target = await realpath(file)
  const lifetimes: number[] = []
  for (const { path, lifetime } of keySets.uses) {
    if (path === undefined || lifetime === undefined) continue
    if ((await realpath(path).catch(() => path)) === target) lifetimes.push(lifetime)
  }
  if (lifetimes.length > 0) return Math.max(...lifetimes)
  throw new CommandError(`The config signs nothing with ${file}.`, {
    hint: 'Name the file that a jwks_url of the config names, or leave -c away and say --ttl.',
  })
}

async function keySetsOf(terminal: Terminal, configFiles: readonly string[]): Promise<LoadedKeySets> {
  const runtime = offlineRuntime(noSessionStore)
  const { state, problems } = await load({ configFiles, env: terminal.env, runtime })
  if (state !== undefined) return state.keySets
  printProblems(
    terminal,
    problems.filter(({ severity }) => severity === 'error'),
  )
  throw new CommandError('The config cannot be used.', { hint: 'Correct the errors above first.' })
}

/** `jwks public`: what verifiers may see. Throws CommandError and KeyProblem. */
export async function printPublic(terminal: Terminal, files: readonly string[], { out }: PublicOptions): Promise<void> {
  const sets = await Promise.all(files.map(readKeySetFile))
  const keys = publicHalves({
    keys: sets.flatMap(({ entries }) => notEnded(entries, Date.now()).map(({ jwk }) => jwk)),
  })
  if (out === undefined) return terminal.out(keySetText({ keys }))
  await writePublic(out, { keys })
  return terminal.err(`Wrote ${out}.\n`)
}

/** `jwks list`: the keys and what each is there for. Throws CommandError and KeyProblem. */
export async function list(
  terminal: Terminal,
  files: readonly string[],
  { format }: ListOptions,
  configFiles: () => readonly string[],
): Promise<void> {
  const sets =
    files.length === 0
      ? (await keySetsOf(terminal, configFiles())).uses.map(({ set }) => set)
      : await Promise.all(files.map(readSet))
  if (format === 'json') terminal.out(`${JSON.stringify({ key_sets: sets.map(keySetJson) }, null, 2)}\n`)
  else terminal.out(sets.flatMap((set) => keySetLines(set).map((line) => `${line}\n`)).join(''))
}

async function readSet(file: string): Promise<KeySet> {
  await readKeySetFile(file)
  return readKeySet(await readFile(file, 'utf8'), file)
}
