/**
 * Where the CPU time of a request goes: `npm run bench -- --profile`. Mintkeeper under V8's sampling profiler and the load of the
 * benchmark; only what was sampled under that load counts.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { freeBlock } from '../demo/ports.ts'
import { startLoadClient, warmUp, type LoadClient } from './measure.ts'
import { nginxVersion, upstreamConfig } from './nginx.ts'
import { mintkeeperPart, nginxPart, nodeUpstreamPart, start } from './parts.ts'
import type { Target } from './targets.ts'
import { workloads } from './workloads.ts'

/** What is profiled: a rule of the benchmark's config, and what it is called in the tables. */
const subjects: readonly (Pick<Target, 'at' | 'name'> & Partial<Target>)[] = [
  { at: 'warm', name: 'session kept, cache warm, token from the cache' },
  { at: 'session', name: 'session asked each time: every cookie is new', newCookies: true },
]

/** Microseconds between two samples. */
const interval = 200
const warmUpMilliseconds = 4000

interface Frame {
  readonly functionName: string
  /** Empty for native functions. */
  readonly url: string
  readonly lineNumber: number
}

/** As V8 writes it: times in microseconds of the monotonic clock. */
interface Profile {
  readonly startTime: number
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** The tables as Markdown. `folder` is empty, and deleted by the caller. */
export async function profileFigures(folder: string, milliseconds: number): Promise<string> {
  const client = startLoadClient()
  const tables: string[] = []
  try {
    for (const subject of subjects) {
      const place = path.join(folder, subject.at)
      await mkdir(place)
      tables.push(await profiled(subject, place, { client, milliseconds }))
    }
  } finally {
    await client.stop()
  }
  return tables.join('\n\n')
}

interface Load {
  readonly client: LoadClient
  readonly milliseconds: number
}

async function profiled(subject: (typeof subjects)[number], folder: string, load: Load): Promise<string> {
  const { client, milliseconds } = load
  const first = await freeBlock(4)
  const upstreamFolder = path.join(folder, 'upstream')
  const config = (place: string): string => upstreamConfig(place, first)
  const upstream = await start(
    nginxVersion() === undefined
      ? await nodeUpstreamPart(upstreamFolder, first)
      : await nginxPart('upstream', { core: 1, folder: upstreamFolder, port: first, config }),
  )
  const ports = { proxy: first + 1, api: first + 2, metrics: first + 3, upstream: first }
  const part = await mintkeeperPart(path.join(folder, 'mintkeeper'), { ports, rules: 1000 })
  const profiler = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${interval}`]
  const gateway = await start({ ...part, args: [...profiler, ...part.args] })
  const options = { client, workload: workloads.find(({ name }) => name === 'get')! }
  const target: Target = { ...subject, port: ports.proxy, pid: gateway.pid }
  let began: number
  let ended: number
  try {
    await warmUp(target, { ...options, milliseconds: warmUpMilliseconds })
    began = now()
    await warmUp(target, { ...options, milliseconds })
    ended = now()
  } finally {
    await gateway.stop()
    await upstream.stop()
  }
  const file = (await readdir(folder)).find((name) => name.endsWith('.cpuprofile'))
  if (file === undefined) throw new Error('Node has written no profile.')
  const profile = JSON.parse(await readFile(path.join(folder, file), 'utf8')) as Profile
  return [`${subject.name}:`, '', ...table(shares(profile, began, ended))].join('\n')
}

/** The clock of profiles, which all processes share. */
const now = (): number => Number(process.hrtime.bigint() / 1000n)

/** Time by place, as parts of 1; the place where time goes itself, not those that wait for it. */
function shares({ startTime, nodes, samples, timeDeltas }: Profile, from: number, to: number): Map<string, number> {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  const times = new Map<string, number>()
  let at = startTime
  let total = 0
  for (const [index, node] of samples.entries()) {
    const delta = timeDeltas[index]!
    at += delta
    const place = places.get(node)
    if (place === undefined || at < from || at > to) continue
    total += delta
    times.set(place, (times.get(place) ?? 0) + delta)
  }
  return new Map([...times].map(([place, time]) => [place, time / total]))
}

const folders: Readonly<Record<string, string>> = {
  proxy: 'gate, header lists, forwarding (`proxy/`)',
  outbound: 'HTTP/1.1 client (`outbound/`)',
  sessions: 'session store and its cache (`sessions/`)',
  tokens: 'tokens and their cache (`tokens/`)',
  telemetry: 'metrics and log (`telemetry/`)',
  rules: 'rules (`rules/`, `languages/`)',
  languages: 'rules (`rules/`, `languages/`)',
  pipeline: 'decision (`pipeline/`)',
}

/** Undefined for what is no work. */
function placeOf({ url, functionName }: Frame): string | undefined {
  if (functionName === '(idle)') return undefined
  if (functionName === '(garbage collector)') return 'garbage collection'
  const folder = /\/src\/(?:([^/]+)\/)?/.exec(url)
  if (folder !== null) return folders[folder[1] ?? ''] ?? 'what puts the parts together (`src/`)'
  if (url.startsWith('node:_http')) return 'node: HTTP server'
  if (url.startsWith('node:')) return 'node: sockets, streams, timers'
  if (url !== '') return 'packages'
  if (/^write(?:v|Buffer|Latin1String|Utf8String)$/.test(functionName)) return 'kernel: writes'
  return functionName === '(program)' ? 'native: reads, polling, parsing of requests' : 'native: other functions'
}

function table(times: ReadonlyMap<string, number>): string[] {
  const rows = [...times].toSorted(([, left], [, right]) => right - left)
  return ['| where | share |', '| --- | --: |', ...rows.map(([place, share]) => `| ${place} | ${percent(share)} |`)]
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
