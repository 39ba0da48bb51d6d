/** What is measured: Mintkeeper's ways through, and nginx and Caddy beside it, each a process on a core of its own. */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { respondsOk, startChild, waitUntil, type Child } from '../demo/child.ts'
import { freeBlock } from '../demo/ports.ts'
import { caddyfile, caddyVersion } from './caddy.ts'
import { writeMintkeeperConfig, type MintkeeperPorts } from './mintkeeper.ts'
import { nginxVersion, proxyConfig, upstreamConfig } from './nginx.ts'

export interface Target {
  readonly name: string
  readonly port: number
  readonly path: string
  /** Whether every request has a cookie that none before it had. */
  readonly newCookies?: true
  /** The process whose CPU time counts, with its descendants. */
  readonly pid: number
  /** Path with which the upstream tells the Authorization that it got, and what that has to be. */
  readonly echo?: { readonly path: string; readonly expected: RegExp }
}

export interface Bench {
  readonly targets: readonly Target[]
  /** nginx as a plain proxy; undefined without nginx. */
  readonly reference: Target | undefined
  readonly stop: () => Promise<void>
}

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
/** A command on one core: 0 for what is measured, 1 for the load and the upstream. */
export const onCore = (core: 0 | 1, command: string, args: readonly string[]): [string, string[]] =>
  pinned ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]]

interface Part {
  readonly name: string
  readonly core: 0 | 1
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
  /** Answers 2xx when the part is ready. */
  readonly readyUrl: string
  /** Beside PATH. */
  readonly env?: Readonly<Record<string, string>>
}

const start = async ({ name, core, command, args, folder, readyUrl, env }: Part): Promise<Child> => {
  const [program, parameters] = onCore(core, command, args)
  const child = startChild({
    name,
    command: program,
    args: parameters,
    env: { PATH: process.env['PATH'], ...env },
    logs: folder,
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

const nginxPart = async (name: string, core: 0 | 1, folder: string, config: string, port: number): Promise<Part> => {
  await mkdir(folder)
  const file = path.join(folder, 'nginx.conf')
  await writeFile(file, config)
  const args = ['-p', folder, '-c', file, '-g', 'daemon off;']
  return { name, core, command: 'nginx', args, folder, readyUrl: `http://127.0.0.1:${port}/` }
}

const caddyPart = async (folder: string, port: number, upstream: number): Promise<Part> => {
  await mkdir(folder)
  const file = path.join(folder, 'Caddyfile')
  await writeFile(file, caddyfile(port, upstream))
  const args = ['run', '--adapter', 'caddyfile', '--config', file]
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  return { name: 'caddy', core: 0, command: 'caddy', args, folder, readyUrl: `http://127.0.0.1:${port}/`, env }
}

type PortNumbers = [number, number, number, number, number, number]

const mintkeeperPart = async (folder: string, ports: MintkeeperPorts): Promise<Part> => ({
  name: 'Mintkeeper',
  core: 0,
  command: process.execPath,
  args: [path.join(root, 'src', 'bin.ts'), 'serve', '-c', await writeMintkeeperConfig(folder, ports)],
  folder,
  readyUrl: `http://127.0.0.1:${ports.api}/health/ready`,
})

/** Starts everything below `folder`, which the caller deletes. */
export const startBench = async (folder: string): Promise<Bench> => {
  const children: Child[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()))
  }
  const add = async (part: Part): Promise<number> => {
    const child = await start(part)
    children.push(child)
    return child.pid
  }
  try {
    const withNginx = nginxVersion() !== undefined
    const upstreamPort = await freeBlock(7)
    const [nginxPort, proxy, api, metrics, caddyPort, barePort] = [1, 2, 3, 4, 5, 6].map(
      (offset) => upstreamPort + offset,
    ) as PortNumbers
    const upstreamFolder = path.join(folder, 'upstream')
    if (withNginx) {
      const config = upstreamConfig(upstreamFolder, upstreamPort)
      await add(await nginxPart('upstream', 1, upstreamFolder, config, upstreamPort))
    } else {
      const args = [path.join(import.meta.dirname, 'upstream.ts'), String(upstreamPort)]
      const readyUrl = `http://127.0.0.1:${upstreamPort}/`
      await add({ name: 'upstream', core: 1, command: process.execPath, args, folder, readyUrl })
    }

    const targets: Target[] = []
    let reference: Target | undefined
    if (withNginx) {
      const port = nginxPort
      const nginxFolder = path.join(folder, 'nginx')
      const pid = await add(
        await nginxPart('nginx', 0, nginxFolder, proxyConfig(nginxFolder, port, upstreamPort), port),
      )
      reference = { name: 'nginx, plain proxy', port, pid, path: '/plain' }
      targets.push(
        reference,
        { name: 'nginx, auth_request: session asked each time', port, pid, path: '/auth/x' },
        { name: 'nginx, auth_request: session kept', port, pid, path: '/cached/x' },
      )
    }
    if (caddyVersion() !== undefined) {
      const pid = await add(await caddyPart(path.join(folder, 'caddy'), caddyPort, upstreamPort))
      targets.push({ name: 'Caddy, forward_auth: session asked each time', port: caddyPort, pid, path: '/' })
    }

    const bareArgs = [path.join(import.meta.dirname, 'bare_proxy.ts'), String(barePort), String(upstreamPort)]
    const bareUrl = `http://127.0.0.1:${barePort}/`
    const barePid = await add({
      name: 'bare proxy',
      core: 0,
      command: process.execPath,
      args: bareArgs,
      folder,
      readyUrl: bareUrl,
    })
    targets.push({ name: 'bare proxy: undici dispatch, nothing else', port: barePort, pid: barePid, path: '/' })

    const ports = { proxy, api, metrics, upstream: upstreamPort }
    const pid = await add(await mintkeeperPart(path.join(folder, 'mintkeeper'), ports))
    const mintkeeper = (name: string, id: string, expected: RegExp): Target => ({
      name: `Mintkeeper, ${name}`,
      port: proxy,
      pid,
      path: `/${id}`,
      echo: { path: `/echo/${id}`, expected },
    })
    const token = /^Bearer ey[\w-]+\.[\w-]+\.[\w-]+$/
    targets.push(
      mintkeeper('public rule: no session, no token', 'public', /^$/),
      mintkeeper('warm path: token from the cache', 'token', token),
      // With one cookie those who ask at the same time would share a call: nothing that a gateway full of users could do.
      { ...mintkeeper('session asked each time: every cookie is new', 'session', token), newCookies: true },
      { ...mintkeeper('session kept, cache cold: every cookie is new', 'cold', token), newCookies: true },
      mintkeeper('session kept, cache warm, token from the cache', 'warm', token),
    )
    return { targets, reference, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
