/** The table that is printed, and the file that `--save` writes. */
import { cpus, release } from 'node:os'
import type { Paired } from './measure.ts'
import { caddyVersion } from './caddy.ts'
import { nginxVersion } from './nginx.ts'
import type { Target } from './targets.ts'

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const columns = ['target', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request', '× nginx', 'spread', 'failures'] as const

const row = ({ name }: Target, pairs: readonly Paired[]): string[] => {
  const samples = pairs.map(({ sample }) => sample)
  const ratios = pairs.flatMap(({ ratio }) => ratio ?? [])
  const failures = samples.reduce((sum, sample) => sum + sample.failures, 0)
  return [
    name,
    median(samples.map(({ requests, seconds }) => requests / seconds)).toFixed(0),
    median(samples.map(({ p50 }) => p50)).toFixed(2),
    median(samples.map(({ p99 }) => p99)).toFixed(2),
    median(samples.map(({ cpu }) => cpu)).toFixed(1),
    ratios.length === 0 ? '' : median(ratios).toFixed(2),
    ratios.length === 0 ? '' : `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    String(failures),
  ]
}

/** A Markdown table of medians, in the order of the targets. */
export const table = (targets: readonly Target[], pairs: readonly Paired[]): string => {
  const rows = targets.map((target) =>
    row(
      target,
      pairs.filter((pair) => pair.target === target),
    ),
  )
  const widths = columns.map((title, index) =>
    Math.max(...[title, ...rows.map((cells) => cells[index]!)].map((text) => text.length)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!))).join(' | ')} |`
  const rule = `| ${widths.map((width, index) => (index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(columns), rule, ...rows.map(line)].join('\n')
}

export interface Circumstances {
  readonly connections: number
  readonly rounds: number
  readonly seconds: number
  readonly pinned: boolean
  readonly pairs: readonly Paired[]
}

/** What the figures depend on, one fact per line. */
export const circumstances = ({ connections, rounds, seconds, pinned, pairs }: Circumstances): string => {
  const all = cpus()
  const foreign = median(pairs.map((pair) => pair.foreign))
  return [
    `Node ${process.version}, ${nginxVersion() ?? 'no nginx'}, ${caddyVersion() ?? 'no caddy'}, Linux ${release()}, ${all.length} × ${all[0]?.model.trim()}`,
    `GET, 1 KiB of JSON, ${connections} connections, ${rounds} rounds of ${seconds} s; medians`,
    pinned ? 'what is measured has one core, the load and the upstream another' : 'processes are not pinned to cores',
    `others took ${foreign.toFixed(2)} cores of the machine meanwhile${foreign > 0.1 ? ': trust the ratios, not the rates' : ''}`,
  ]
    .map((fact) => `- ${fact}`)
    .join('\n')
}
