/**
 * `npm run soak`: two workers at half of their highest rate for a long time, with rules reloaded, keys rotated and workers
 * replaced in between, before an upstream that checks every token. Reports failed requests and the growth of memory.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { respondsOk, startChild, waitUntil, type Child } from '../demo/child.ts'
import { freeBlock } from '../demo/ports.ts'
import { version } from '../src/version.ts'
import { descendants } from './proc.ts'
import { saveSection } from './results_file.ts'
import { startSoakClient, type SoakClient } from './soak_load.ts'

const WORKERS = 2
const bin = path.join(import.meta.dirname, '..', 'src', 'bin.ts')

const say = (message: string): void => {
  process.stdout.write(`${message}\n`)
}

const rules = (upstream: number, generation: number): string =>
  JSON.stringify([
    {
      id: 'data',
      match: { url: 'http://soak.example/data', methods: ['GET'] },
      authenticators: [{ handler: 'cookie_session' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'id_token' }],
      upstream: { url: `http://127.0.0.1:${upstream}` },
    },
    {
      id: `generation-${generation}`,
      match: { url: 'http://soak.example/other', methods: ['GET'] },
      authenticators: [{ handler: 'anonymous' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'noop' }],
      upstream: { url: `http://127.0.0.1:${upstream}` },
    },
  ])

const config = (folder: string, [upstream, proxy, api, metrics]: readonly number[]): string =>
  JSON.stringify({
    profile: 'secure',
    log: { level: 'error' },
    serve: {
      proxy: { host: '127.0.0.1', port: proxy },
      api: { host: '127.0.0.1', port: api },
      prometheus: { host: '127.0.0.1', port: metrics },
      shutdown: { drain: '2s' },
    },
    kratos: { public_url: `http://127.0.0.1:${upstream}` },
    access_rules: { repositories: [`file://${path.join(folder, 'rules.json')}`] },
    authenticators: {
      anonymous: { enabled: true },
      cookie_session: {
        enabled: true,
        config: {
          check_session_url: `http://127.0.0.1:${upstream}/sessions/whoami`,
          subject_from: 'identity.id',
          extra_from: '@this',
          cache: { ttl: '10s' },
        },
      },
    },
    authorizers: { allow: { enabled: true } },
    mutators: {
      noop: { enabled: true },
      id_token: {
        enabled: true,
        config: {
          issuer_url: 'http://soak.example/',
          jwks_url: `file://${path.join(folder, 'key.json')}`,
          ttl: '1m',
          claims: { role: 'user', email: '{{extra.identity.traits.email}}' },
        },
      },
    },
    errors: { fallback: ['json'], handlers: { json: { enabled: true } } },
  })

interface Sample {
  /** Minutes since the start. */
  readonly at: number
  /** Mebibytes of the primary and its workers. */
  readonly rss: number
}

const rssOf = (root: number): number => {
  let kib = 0
  for (const pid of [root, ...descendants(root)]) {
    try {
      kib += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
    } catch {
      // It has ended since.
    }
  }
  return kib / 1024
}

/** Mebibytes an hour, by least squares. */
const slope = (samples: readonly Sample[]): number => {
  const mean = (pick: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length
  const [at, rss] = [mean((sample) => sample.at), mean((sample) => sample.rss)]
  const covariance = samples.reduce((sum, sample) => sum + (sample.at - at) * (sample.rss - rss), 0)
  const variance = samples.reduce((sum, sample) => sum + (sample.at - at) ** 2, 0)
  return (covariance / variance) * 60
}

interface Events {
  reloads: number
  rotations: number
  restarts: number
}

/** Once a minute a reload and a step of the rotation, and in the first part of the run new workers. */
const disturb = async (folder: string, gateway: Child, upstream: number, minutes: number): Promise<Events> => {
  const events: Events = { reloads: 0, rotations: 0, restarts: 0 }
  const jwks = ['jwks', 'rotate', path.join(folder, 'key.json'), '--lead', '10s', '--ttl', '1m', '--skew', '5s']
  for (let minute = 0; minute < minutes; minute += 1) {
    await sleep(15_000)
    await writeFile(path.join(folder, 'rules.json'), rules(upstream, minute))
    process.kill(gateway.pid, 'SIGHUP')
    events.reloads += 1
    await sleep(15_000)
    await promisify(execFile)(process.execPath, [bin, ...jwks])
    events.rotations += 1
    await sleep(15_000)
    if (minute < minutes * 0.4) {
      process.kill(gateway.pid, 'SIGUSR2')
      events.restarts += 1
    }
    await sleep(15_000)
  }
  return events
}

const report = (
  client: SoakClient,
  samples: readonly Sample[],
  events: Events,
  { minutes, rate }: { readonly minutes: number; readonly rate: number },
): string => {
  const steady = samples.filter(({ at }) => at > minutes * 0.5)
  const failed = [...client.tally.failures.values()].reduce((sum, count) => sum + count, 0)
  const lines = [
    `Mintkeeper ${version}, ${new Date().toISOString().slice(0, 10)}: ${WORKERS} workers, ${minutes} minutes at ${Math.round(rate)} requests/s`,
    `(half of the highest rate), 500 users, ${events.reloads} reloads, ${events.rotations} runs of \`jwks rotate\`, ${events.restarts} restarts of all workers.`,
    '',
    `- requests: ${client.tally.requests.toLocaleString('en')}, failed: ${failed}`,
    ...[...client.tally.failures].map(([why, count]) => `  - ${count} × ${why}`),
    `- memory of the primary and its workers: ${Math.round(steady[0]?.rss ?? 0)} MiB in the middle, ${Math.round(samples.at(-1)?.rss ?? 0)} MiB at the end; ` +
      `slope over the second half, in which no worker was replaced: ${slope(steady).toFixed(1)} MiB an hour`,
  ]
  return lines.join('\n')
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '20' }, save: { type: 'boolean', default: false } },
  })
  const minutes = Number(values.minutes)
  if (!(minutes >= 1)) throw new TypeError('--minutes must be a number from 1.')
  const folder = await mkdtemp(path.join(tmpdir(), 'mintkeeper-soak-'))
  const children: Child[] = []
  try {
    const first = await freeBlock(4)
    const ports = [first, first + 1, first + 2, first + 3] as const
    const [upstream, proxy, api] = ports
    await promisify(execFile)(process.execPath, [bin, 'jwks', 'generate', '--out', path.join(folder, 'key.json')])
    await writeFile(path.join(folder, 'rules.json'), rules(upstream, 0))
    await writeFile(path.join(folder, 'config.json'), config(folder, ports))
    const start = async (name: string, args: readonly string[], ready: string): Promise<Child> => {
      const options = { name, command: process.execPath, args, env: { PATH: process.env['PATH'] }, logs: folder }
      const child = startChild({ ...options, onEnd: (message) => say(message) })
      children.push(child)
      await waitUntil(name, child, () => respondsOk(ready))
      return child
    }
    const upstreamArgs = [path.join(import.meta.dirname, 'soak_upstream.ts'), String(upstream), String(api)]
    await start('upstream', upstreamArgs, `http://127.0.0.1:${upstream}/sessions/whoami`)
    const serve = [bin, 'serve', '--workers', String(WORKERS), '-c', path.join(folder, 'config.json')]
    const gateway = await start('Mintkeeper', serve, `http://127.0.0.1:${api}/health/ready`)

    const client = startSoakClient({ port: proxy, connections: 64, users: 500 })
    await sleep(5000)
    const before = client.tally.requests
    await sleep(10_000)
    const rate = (client.tally.requests - before) / 10 / 2
    client.rate = rate
    say(`highest rate ${Math.round(rate * 2)} requests/s; ${minutes} minutes at half of it`)

    const samples: Sample[] = []
    const began = performance.now()
    const sampling = setInterval(() => {
      samples.push({ at: (performance.now() - began) / 60_000, rss: rssOf(gateway.pid) })
    }, 2000)
    const events = await disturb(folder, gateway, upstream, minutes)
    clearInterval(sampling)
    client.stop()
    const text = report(client, samples, events, { minutes, rate })
    say(`\n${text}`)
    if (values.save) say(`\nWritten to ${await saveSection('Soak', text)}`)
    if (client.tally.failures.size > 0) process.exitCode = 1
  } finally {
    await Promise.all(children.map((child) => child.stop()))
    await rm(folder, { recursive: true, force: true })
  }
}

await main()
