/** The processes of a run: what is measured on one core, the load and the upstream on another. */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { respondsOk, startChild, waitUntil, type Child } from '../demo/child.ts'
import { caddyfile } from './caddy.ts'
import { haproxyConfig } from './haproxy.ts'
import { writeMintkeeperConfig, type MintkeeperOptions } from './mintkeeper.ts'
import { oathkeeperBinary, writeOathkeeperConfig } from './oathkeeper.ts'
import type { MintkeeperPorts } from './mintkeeper.ts'

const root = path.join(import.meta.dirname, '..')

const hasTaskset = (): boolean => {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    return availableParallelism() > 1
  } catch {
    return false
  }
}

/** Whether what is measured has a core of its own. */
export const pinned = hasTaskset()

/** A command on one core: 0 for what is measured, 1 for the load and the upstream; or wherever there is room. */
export const onCore = (core: Core, command: string, args: readonly string[]): [string, string[]] =>
  pinned && core !== 'any' ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]]

type Core = 0 | 1 | 'any'

export interface Part {
  readonly name: string
  readonly core: Core
  readonly command: string
  readonly args: readonly string[]
  /** Of its files and its log; made by whoever makes the part. */
  readonly folder: string
  /** Answers 2xx when the part is ready. */
  readonly readyUrl: string
  /** Beside PATH. */
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a part and waits until it answers. */
export const start = async ({ name, core, command, args, folder, readyUrl, env }: Part): Promise<Child> => {
  const [program, parameters] = onCore(core, command, args)
  const child = startChild({
    name,
    command: program,
    args: parameters,
    env: { PATH: process.env['PATH'], ...env },
    logs: folder,
    // Without draining: no load balancer has to notice.
    stopSignal: 'SIGINT',
    // Whoever is measuring sees failures instead of answers.
    onEnd: () => undefined,
  })
  try {
    await waitUntil(name, child, () => respondsOk(readyUrl))
    return child
  } catch (error) {
    await child.stop()
    throw error
  }
}

const written = async (folder: string, name: string, text: string): Promise<string> => {
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, name)
  await writeFile(file, text)
  return file
}

const at = (port: number): string => `http://127.0.0.1:${port}/`

/** nginx with a config that is made for its folder. */
export const nginxPart = async (
  name: string,
  { core, folder, port, config }: { core: Core; folder: string; port: number; config: (folder: string) => string },
): Promise<Part> => {
  await mkdir(folder)
  const file = await written(folder, 'nginx.conf', config(folder))
  const args = ['-p', folder, '-c', file, '-g', 'daemon off;']
  return { name, core, command: 'nginx', args, folder, readyUrl: at(port) }
}

export const caddyPart = async (folder: string, port: number, upstream: number): Promise<Part> => {
  const file = await written(folder, 'Caddyfile', caddyfile(port, upstream))
  const args = ['run', '--adapter', 'caddyfile', '--config', file]
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  return { name: 'caddy', core: 0, command: 'caddy', args, folder, readyUrl: at(port), env }
}

export const haproxyPart = async (folder: string, port: number, upstream: number): Promise<Part> => {
  const file = await written(folder, 'haproxy.cfg', haproxyConfig(port, upstream))
  return { name: 'haproxy', core: 0, command: 'haproxy', args: ['-db', '-f', file], folder, readyUrl: at(port) }
}

export const barePart = async (folder: string, port: number, upstream: number, front?: 'hono'): Promise<Part> => {
  await mkdir(folder)
  const args = [
    path.join(import.meta.dirname, 'bare_proxy.ts'),
    String(port),
    String(upstream),
    ...(front ? [front] : []),
  ]
  return { name: 'bare proxy', core: 0, command: process.execPath, args, folder, readyUrl: at(port) }
}

export const floorPart = async (
  folder: string,
  { port, upstream, kind }: { port: number; upstream: number; kind: 'proxy' | 'alone' },
): Promise<Part> => {
  await mkdir(folder)
  const args = [path.join(import.meta.dirname, 'floor.ts'), String(port), String(upstream), kind]
  return { name: `floor, ${kind}`, core: 0, command: process.execPath, args, folder, readyUrl: at(port) }
}

/** The upstream where nginx is not installed. */
export const nodeUpstreamPart = async (folder: string, port: number): Promise<Part> => {
  await mkdir(folder)
  const args = [path.join(import.meta.dirname, 'upstream.ts'), String(port)]
  return { name: 'upstream', core: 1, command: process.execPath, args, folder, readyUrl: at(port) }
}

/** With more than one worker, or when it is compared with more than one, it runs wherever there is room. */
export const mintkeeperPart = async (
  folder: string,
  options: MintkeeperOptions & {
    readonly workers?: number | undefined
    readonly env?: Readonly<Record<string, string>>
  },
): Promise<Part> => {
  const { ports, workers, env = {} } = options
  const config = await writeMintkeeperConfig(folder, options)
  const many = workers === undefined ? [] : ['--workers', String(workers)]
  return {
    name: path.basename(folder),
    core: workers === undefined ? 0 : 'any',
    command: process.execPath,
    args: [path.join(root, 'src', 'bin.ts'), 'serve', '-c', config, ...many],
    folder,
    readyUrl: `${at(ports.api)}health/ready`,
    env,
  }
}

export const oathkeeperPart = async (folder: string, ports: MintkeeperPorts): Promise<Part> => {
  const args = ['serve', '-c', await writeOathkeeperConfig(folder, ports), '--disable-telemetry', '--sqa-opt-out']
  const readyUrl = `${at(ports.api)}health/ready`
  return { name: 'oathkeeper', core: 0, command: oathkeeperBinary, args, folder, readyUrl }
}
