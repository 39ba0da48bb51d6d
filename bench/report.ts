/** The table that is printed, and the file that `--save` writes. */
import { cpus, release } from 'node:os'
import type { Paired } from './measure.ts'
import { caddyVersion } from './caddy.ts'
import { haproxyVersion } from './haproxy.ts'
import { nginxVersion } from './nginx.ts'
import { oathkeeperVersion } from './oathkeeper.ts'
import type { Target } from './targets.ts'
import type { Workload } from './workloads.ts'

/** Of one value or more. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const columns = [
  'target',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'CPU µs/request',
  '× nginx',
  'spread',
  '× bare',
  'RSS MiB',
  'failures',
] as const

const ratiosOf = (pairs: readonly Paired[]): number[] => pairs.flatMap(({ ratio }) => ratio ?? [])

const row = ({ name }: Target, pairs: readonly Paired[], bare: readonly Paired[]): string[] => {
  const samples = pairs.map(({ sample }) => sample)
  const ratios = ratiosOf(pairs)
  const failures = samples.reduce((sum, sample) => sum + sample.failures, 0)
  const cpu = median(samples.map((sample) => sample.cpu))
  // By way of nginx, which was measured right before and after both; without nginx as it came.
  const [own, least] =
    ratios.length > 0 ? [median(ratios), median(ratiosOf(bare))] : [cpu, median(bare.map(({ sample }) => sample.cpu))]
  return [
    name,
    median(samples.map(({ requests, seconds }) => requests / seconds)).toFixed(0),
    median(samples.map(({ p50 }) => p50)).toFixed(2),
    median(samples.map(({ p99 }) => p99)).toFixed(2),
    cpu.toFixed(1),
    ratios.length === 0 ? '' : median(ratios).toFixed(2),
    ratios.length === 0 ? '' : `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    bare.length === 0 ? '' : (own / least).toFixed(2),
    median(samples.map(({ memory }) => memory)).toFixed(0),
    String(failures),
  ]
}

export const titleOf = ({ title, connections }: Workload): string => `${title}, ${connections} connections`

/** A Markdown table of medians for one workload, in the order of the targets. */
export const table = (targets: readonly Target[], pairs: readonly Paired[], bare: Target): string => {
  const of = (target: Target): readonly Paired[] => pairs.filter((pair) => pair.target === target)
  const rows = targets.filter((target) => of(target).length > 0).map((target) => row(target, of(target), of(bare)))
  const widths = columns.map((title, index) =>
    Math.max(...[title, ...rows.map((cells) => cells[index]!)].map((text) => text.length)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!))).join(' | ')} |`
  const rule = `| ${widths.map((width, index) => (index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(columns), rule, ...rows.map(line)].join('\n')
}

export interface Circumstances {
  readonly rounds: number
  readonly seconds: number
  readonly pinned: boolean
  readonly pairs: readonly Paired[]
}

/** What the figures depend on, one fact per line. */
export const circumstances = ({ rounds, seconds, pinned, pairs }: Circumstances): string => {
  const all = cpus()
  const versions = [nginxVersion(), haproxyVersion(), caddyVersion(), oathkeeperVersion()].filter(
    (version) => version !== undefined,
  )
  const foreign = median(pairs.map((pair) => pair.foreign))
  return [
    `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, ${all.length} × ${all[0]?.model.trim()}`,
    `Node ${process.version}, ${versions.join(', ')}`,
    `${rounds} rounds of ${seconds} s; medians`,
    pinned ? 'what is measured has one core, the load and the upstream another' : 'processes are not pinned to cores',
    `others took ${foreign.toFixed(2)} cores of the machine meanwhile${foreign > 0.1 ? ': trust the ratios, not the rates' : ''}`,
  ]
    .map((fact) => `- ${fact}`)
    .join('\n')
}
