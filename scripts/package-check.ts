// Packs the package, checks it as a stranger's tools see it, and installs and runs it in an empty folder.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-package-'))
const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

try {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root)) as [
    { filename: string },
  ]
  const tarball = path.join(folder, packed.filename)
  run('publint', ['--strict', tarball], root)
  run('attw', ['--profile', 'esm-only', tarball], root)

  writeFileSync(path.join(folder, 'package.json'), '{"private":true,"type":"module"}\n')
  run('npm', ['install', '--no-audit', '--no-fund', tarball], folder)
  const bin = path.join(folder, 'node_modules', 'mintkeeper', 'bin', 'mintkeeper.cjs')
  process.stdout.write(run(process.execPath, [bin, 'version'], folder))
  run(
    process.execPath,
    ['-e', 'import("mintkeeper").then((m) => process.exit(typeof m.createGateway === "function" ? 0 : 1))'],
    folder,
  )
  checkOldNode(bin)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** A machine's own Node may be too old; then the program must say which one it needs. */
function checkOldNode(bin: string): void {
  const system = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .join(path.delimiter)
  const env = { ...process.env, PATH: system }
  const found = spawnSync('node', ['--version'], { env, encoding: 'utf8' })
  const [major = 0, minor = 0] = found.stdout?.slice(1).split('.').map(Number) ?? []
  if (found.status !== 0 || major > 22 || (major === 22 && minor >= 19)) return
  const { status, stderr } = spawnSync('node', [bin, 'version'], { env, encoding: 'utf8' })
  if (status !== 2 || !stderr.includes('22.19')) {
    throw new Error(`on Node ${found.stdout.trim()} the program ended with ${status}: ${stderr}`)
  }
}
