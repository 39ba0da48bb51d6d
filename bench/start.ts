/**
 * How long it takes from a start to the first answer, and what that costs, of the built program, as users start it:
 * `npm run bench -- --start`. Every answer of Mintkeeper carries a token, so that config, rules and keys are in use by then.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { availableParallelism, cpus } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freeBlock } from '../demo/ports.ts'
import { runChild } from '../demo/child.ts'
import { writeMintkeeperConfig } from './mintkeeper.ts'
import { nginxVersion, proxyConfig } from './nginx.ts'
import { endedCpu, machineCpu, treeCpu } from './proc.ts'
import { median } from './report.ts'

const root = path.join(import.meta.dirname, '..')
/** Milliseconds between two attempts to be answered. */
const interval = 2
const patience = 30_000

interface Program {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Where it answers; without, it counts until it has ended. */
  readonly port?: number
}

interface Start {
  /** Milliseconds. */
  readonly wall: number
  /** Milliseconds of CPU time, all threads and children together, in steps of 10. */
  readonly cpu: number
}

/** The figures as Markdown. `folder` is empty, and deleted by the caller. */
export async function startFigures(folder: string, rounds: number): Promise<string> {
  await runChild({ name: 'npm run prepare', command: 'npm', args: ['run', 'prepare'], env: process.env })
  const first = await freeBlock(6)
  const upstream = await startUpstream(first)
  try {
    const programs = await programsOf(folder, first)
    const starts = new Map(programs.map((program) => [program, [] as Start[]]))
    const begin = performance.now()
    const others = foreignCpu()
    // In the first round disks are read, and what can be kept of a start is kept.
    for (let round = 0; round <= rounds; round++) {
      for (const program of programs) {
        const start = await measure(program)
        if (round > 0) starts.get(program)?.push(start)
      }
    }
    const foreign = (foreignCpu() - others) / ((performance.now() - begin) / 1000)
    return [...table(starts), '', ...circumstances(rounds, foreign)].join('\n')
  } finally {
    upstream.kill()
    await once(upstream, 'exit')
  }
}

async function startUpstream(port: number): Promise<ReturnType<typeof spawn>> {
  const script = path.join(import.meta.dirname, 'upstream.ts')
  const child = spawn(process.execPath, [script, String(port)], { stdio: ['ignore', 'inherit', 'inherit'] })
  await answered(port, child)
  return child
}

async function programsOf(folder: string, upstream: number): Promise<readonly Program[]> {
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    readonly bin: { readonly mintkeeper: string }
  }
  const bin = path.join(root, manifest.bin.mintkeeper)
  const [proxy, api, metrics, nginx, empty] = [1, 2, 3, 4, 5].map((offset) => upstream + offset) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const ports = { proxy, api, metrics, upstream }
  const mintkeeper = async (name: string, rules: number, env: Record<string, string> = {}): Promise<Program> => {
    const config = await writeMintkeeperConfig(path.join(folder, `mintkeeper-${name.replaceAll(/\W+/g, '-')}`), {
      ports,
      rules,
    })
    return {
      name: `Mintkeeper, ${name}`,
      command: process.execPath,
      args: [bin, 'serve', '-c', config],
      env: { XDG_CACHE_HOME: path.join(folder, 'cache'), ...env },
      port: proxy,
    }
  }
  const server = `require('node:http').createServer((_, response) => response.end('{}')).listen(${empty}, '127.0.0.1')`
  const programs: Program[] = [
    { name: 'node -e 0, to its end', command: process.execPath, args: ['-e', '0'] },
    { name: 'node, an empty HTTP server', command: process.execPath, args: ['-e', server], port: empty },
    await mintkeeper('5 rules', 5),
    await mintkeeper('1,000 rules', 1000),
    await mintkeeper('5 rules, no compile cache', 5, { NODE_DISABLE_COMPILE_CACHE: '1' }),
  ]
  if (nginxVersion() !== undefined) {
    const place = path.join(folder, 'nginx')
    await mkdir(place)
    const file = path.join(place, 'nginx.conf')
    await writeFile(file, proxyConfig(place, nginx, upstream))
    const args = ['-p', place, '-c', file, '-g', 'daemon off;']
    programs.push({ name: 'nginx, plain proxy', command: 'nginx', args, port: nginx })
  }
  return programs
}

/** CPU seconds that others have had of the machine so far. */
const foreignCpu = (): number => machineCpu() - treeCpu(process.pid) - endedCpu()

/** Starts a program, and stops it in order: what it keeps for its next start is written when it ends. */
async function measure({ name, command, args, env, port }: Program): Promise<Start> {
  const begin = performance.now()
  const before = endedCpu()
  const child = spawn(command, args, { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' })
  const ended = once(child, 'exit')
  if (port === undefined) {
    await ended
    return { wall: performance.now() - begin, cpu: (endedCpu() - before) * 1000 }
  }
  try {
    await answered(port, child)
    return { wall: performance.now() - begin, cpu: treeCpu(child.pid ?? 0) * 1000 }
  } catch (error) {
    throw new Error(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  } finally {
    child.kill('SIGINT')
    await ended
  }
}

/** Asks until there is an answer; rejects when it is not 200. */
async function answered(port: number, child: ReturnType<typeof spawn>): Promise<void> {
  const deadline = performance.now() + patience
  for (;;) {
    const head = await ask(port)
    if (head?.startsWith('HTTP/1.1 200 ') === true) return
    if (head !== undefined) throw new Error(`the answer is ${head}`)
    if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`)
    if (performance.now() > deadline) throw new Error('there is no answer')
    await sleep(interval)
  }
}

/** The first line of the answer; undefined when nobody listens yet. */
function ask(port: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.write(`GET /token HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
    })
    socket.once('data', (bytes) => {
      resolve(bytes.toString('latin1').split('\r\n', 1)[0])
      socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // While a gateway tries whether its port is free, whoever comes is sent away.
      if (error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET') resolve(undefined)
      else reject(error)
    })
  })
}

const WIDTH = 37

function table(starts: ReadonlyMap<Program, readonly Start[]>): string[] {
  const line = (name: string, ...cells: readonly string[]): string =>
    `| ${name.padEnd(WIDTH)} | ${cells.map((cell) => cell.padStart(9)).join(' | ')} |`
  const rows = [...starts].map(([{ name }, all]) => {
    const wall = all.map((start) => start.wall)
    const spread = `${Math.min(...wall).toFixed(0)}–${Math.max(...wall).toFixed(0)}`
    return line(name, median(wall).toFixed(0), spread, median(all.map(({ cpu }) => cpu)).toFixed(0))
  })
  return [
    line('start to first answer', 'ms', 'spread', 'CPU ms'),
    `| ${'-'.repeat(WIDTH)} | --------: | --------: | --------: |`,
    ...rows,
  ]
}

const circumstances = (rounds: number, foreign: number): string[] => [
  `- Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model.trim()}; medians of ${rounds} starts each, in turns`,
  '- asked every 2 ms; Mintkeeper with `id_token`, `cookie_session` and `anonymous`; its first answer carries a token',
  `- others took ${Math.max(0, foreign).toFixed(2)} cores of the machine meanwhile`,
]
