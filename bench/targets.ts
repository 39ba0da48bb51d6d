/** What is measured: Mintkeeper's ways through, the least that its parts could cost, and what people use instead. */
import path from 'node:path'
import type { Child } from '../demo/child.ts'
import { freeBlock } from '../demo/ports.ts'
import { caddyVersion } from './caddy.ts'
import { haproxyVersion } from './haproxy.ts'
import type { MintkeeperPorts } from './mintkeeper.ts'
import { nginxVersion, proxyConfig, upstreamConfig } from './nginx.ts'
import { oathkeeperVersion } from './oathkeeper.ts'
import {
  barePart,
  caddyPart,
  floorPart,
  haproxyPart,
  mintkeeperPart,
  nginxPart,
  nodeUpstreamPart,
  oathkeeperPart,
  start,
  type Part,
} from './parts.ts'

export interface Target {
  readonly name: string
  readonly port: number
  /** The first segment of the paths that it answers. */
  readonly at: string
  /** Whether it is measured with all workloads, or with the GET of 1 KiB alone. */
  readonly all?: true
  /** Whether every request has a cookie that none before it had. */
  readonly newCookies?: true
  /** The process whose CPU time counts, with its descendants. */
  readonly pid: number
  /** What Authorization the upstream has to get. */
  readonly authorization?: RegExp
}

export interface Bench {
  readonly targets: readonly Target[]
  /** nginx as a plain proxy; undefined without nginx. */
  readonly reference: Target | undefined
  /** The same parts as Mintkeeper's, and nothing else. */
  readonly bare: Target
  readonly stop: () => Promise<void>
}

export interface Selection {
  /** How many rules Mintkeeper has: the first for all its targets, the others for the warm one. */
  readonly rules: readonly number[]
  /** Numbers of workers to compare; none for none. */
  readonly workers: readonly number[]
}

const token = /^Bearer ey[\w-]+\.[\w-]+\.[\w-]+$/u

/** Starts everything below `folder`, which the caller deletes. */
export const startBench = async (folder: string, { rules, workers }: Selection): Promise<Bench> => {
  const children: Child[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()))
  }
  const add = async (part: Part): Promise<number> => {
    const child = await start(part)
    children.push(child)
    return child.pid
  }
  const at = (name: string): string => path.join(folder, name)
  let port = await freeBlock(15 + 3 * (rules.length + workers.length))
  const next = (): number => port++
  const nextPorts = (upstream: number): MintkeeperPorts => ({ proxy: next(), api: next(), metrics: next(), upstream })

  const withNginx = nginxVersion() !== undefined
  const targets: Target[] = []

  const addNginx = async (upstream: number): Promise<Target> => {
    const own = next()
    const config = (place: string): string => proxyConfig(place, own, upstream)
    const pid = await add(await nginxPart('nginx', { core: 0, folder: at('nginx'), port: own, config }))
    const plain: Target = { name: 'nginx, plain proxy', port: own, pid, at: 'plain', all: true }
    targets.push(
      plain,
      { name: 'nginx, auth_request: session asked each time', port: own, pid, at: 'auth', all: true },
      { name: 'nginx, auth_request: session kept', port: own, pid, at: 'cached' },
    )
    return plain
  }

  const addFloor = async (upstream: number): Promise<void> => {
    const names = {
      alone: "node's HTTP server alone: no upstream",
      proxy: "node's HTTP server and Mintkeeper's client, nothing else",
    } as const
    for (const kind of ['alone', 'proxy'] as const) {
      const own = next()
      const pid = await add(await floorPart(at(`floor-${kind}`), { port: own, upstream, kind }))
      targets.push({ name: names[kind], port: own, pid, at: 'plain' })
    }
  }

  const addMintkeeper = async (upstream: number): Promise<void> => {
    const [first = 1000, ...further] = rules
    const ports = nextPorts(upstream)
    const pid = await add(await mintkeeperPart(at('mintkeeper'), { ports, rules: first }))
    const target = (name: string, id: string, rest: Partial<Target> = {}): Target => ({
      name: `Mintkeeper, ${name}`,
      port: ports.proxy,
      pid,
      at: id,
      authorization: token,
      ...rest,
    })
    targets.push(
      target('public rule: no session, no token', 'public', { authorization: /^$/u }),
      target('no session, token from the cache', 'token'),
      // With one cookie those who ask at the same time would share a call: nothing that a gateway full of users could do.
      target('session asked each time: every cookie is new', 'session', { newCookies: true }),
      target('session kept, cache cold: every cookie is new', 'cold', { newCookies: true }),
      target('session kept, cache warm, token from the cache', 'warm', { all: true }),
    )
    const large = nextPorts(upstream)
    const env = { NODE_OPTIONS: '--use-largepages=silent' }
    const onLargePages = await add(await mintkeeperPart(at('large-pages'), { ports: large, rules: first, env }))
    targets.push({ ...target("the same, node's code on large pages", 'warm'), port: large.proxy, pid: onLargePages })
    for (const count of further) {
      const own = nextPorts(upstream)
      const warm = await add(await mintkeeperPart(at(`rules-${count}`), { ports: own, rules: count }))
      targets.push({ ...target(`the same with ${count} rules`, 'warm'), port: own.proxy, pid: warm })
    }
    for (const count of workers) {
      const own = nextPorts(upstream)
      const options = { ports: own, rules: first, workers: count }
      const warm = await add(await mintkeeperPart(at(`workers-${count}`), options))
      const name = `the same, ${count} worker${count === 1 ? '' : 's'}, no core of its own`
      targets.push({ ...target(name, 'warm'), port: own.proxy, pid: warm })
    }
  }

  try {
    const upstream = next()
    const upstreamFolder = at('upstream')
    const config = (place: string): string => upstreamConfig(place, upstream)
    await add(
      withNginx
        ? await nginxPart('upstream', { core: 1, folder: upstreamFolder, port: upstream, config })
        : await nodeUpstreamPart(upstreamFolder, upstream),
    )
    const reference = withNginx ? await addNginx(upstream) : undefined
    if (haproxyVersion() !== undefined) {
      const own = next()
      const pid = await add(await haproxyPart(at('haproxy'), own, upstream))
      targets.push({ name: 'HAProxy, plain proxy', port: own, pid, at: 'plain', all: true })
    }
    if (caddyVersion() !== undefined) {
      const own = next()
      const pid = await add(await caddyPart(at('caddy'), own, upstream))
      const name = 'Caddy, forward_auth: session asked each time'
      targets.push({ name, port: own, pid, at: 'auth', all: true })
    }
    if (oathkeeperVersion() !== undefined) {
      const ports = nextPorts(upstream)
      const pid = await add(await oathkeeperPart(at('oathkeeper'), ports))
      const name = 'Oathkeeper, one rule: session asked each time'
      targets.push({ name, port: ports.proxy, pid, at: 'auth', all: true, authorization: token })
    }
    const bare: Target = {
      name: 'bare proxy: undici dispatch, nothing else',
      port: next(),
      pid: 0,
      at: 'plain',
      all: true,
    }
    const measured = { ...bare, pid: await add(await barePart(at('bare'), bare.port, upstream)) }
    targets.push(measured)
    const own = next()
    const hono = await add(await barePart(at('bare-hono'), own, upstream, 'hono'))
    targets.push({ name: 'bare proxy, the same behind a route of Hono', port: own, pid: hono, at: 'plain' })
    await addFloor(upstream)
    await addMintkeeper(upstream)
    return { targets, reference, bare: measured, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
