/**
 * `npm run bench`: Mintkeeper beside what people use instead in one run on this machine, nothing but 127.0.0.1. Each sample stands between
 * two of nginx as a plain proxy, in shuffled order: rates move with the machine, their ratios hardly do.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { body } from './answers.ts'
import { measure, startLoadClient, warmUp, type LoadClient, type Paired } from './measure.ts'
import { pinned } from './parts.ts'
import { profileFigures } from './profile.ts'
import { circumstances, table, titleOf } from './report.ts'
import { saveSection } from './results_file.ts'
import { startBench, type Bench, type Selection, type Target } from './targets.ts'
import { startFigures } from './start.ts'
import { tokenFigures } from './tokens.ts'
import { workloads, type Workload } from './workloads.ts'

const usage = `Usage: npm run bench [-- options]

  --rounds <n>         how often each target is measured (default: 5)
  --seconds <n>        length of one sample; its reference and warm-up take one and a half times as long (default: 1.5)
  --warm-up <n>        how long each target is asked before the first sample, so that compilers have learned (default: 3)
  --workloads <names>  of get, post, download and upload, separated by commas (default: all)
  --rules <numbers>    how many rules Mintkeeper has; the first number for all of its targets (default: 1000,10,10000)
  --workers <numbers>  how many workers to compare, none for "" (default: 1,2)
  --only <words>       only targets whose names contain one of these, separated by commas
  --tokens             what tokens cost, and what a claims mapper without end costs others, instead of requests
  --start              how long a start takes until the first answer instead; 9 rounds unless told otherwise
  --profile            where the time of a request goes, by V8's profiler, instead of requests
  --save               write bench/RESULTS.md
  --help               print this

MINTKEEPER_BENCH_OATHKEEPER=<file> names a binary of Ory Oathkeeper to measure, too.
`

const say = (message: string): void => {
  process.stdout.write(`${message}\n`)
}

const shuffled = <Item>(items: readonly Item[]): Item[] =>
  items
    .map((item): [number, Item] => [Math.random(), item])
    .toSorted(([left], [right]) => left - right)
    .map(([, item]) => item)

const get = async (target: Target, at: string): Promise<string> => {
  const headers = { Cookie: 'ory_kratos_session=MTc2MTc2' }
  const response = await fetch(`http://127.0.0.1:${target.port}${at}`, { headers, signal: AbortSignal.timeout(5000) })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${target.name}: status ${response.status}: ${text}`)
  return text
}

/** Throws when a target does not do what it is measured for. */
const checkAnswer = async (target: Target): Promise<void> => {
  if ((await get(target, `/${target.at}`)) !== body) throw new Error(`${target.name}: the answer is not the upstream's`)
  if (target.authorization === undefined) return
  const { authorization } = JSON.parse(await get(target, `/${target.at}/echo`)) as { authorization: string }
  if (!target.authorization.test(authorization)) throw new Error(`${target.name}: the upstream got "${authorization}"`)
}

interface Options extends Selection {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly save: boolean
  readonly workloads: readonly Workload[]
  readonly only: readonly string[]
}

const run = async (options: Options, bench: Bench, client: LoadClient): Promise<void> => {
  const { rounds, seconds, warmUpSeconds, save, only } = options
  const { reference, bare } = bench
  const targets = bench.targets.filter(({ name }) => only.length === 0 || only.some((word) => name.includes(word)))
  if (targets.length === 0) throw new Error('No target has a name like that.')
  for (const target of targets) await checkAnswer(target)
  if (reference === undefined) say('nginx is not installed: nothing to compare with.')

  const tables: [title: string, table: string][] = []
  const everything: Paired[] = []
  const milliseconds = seconds * 1000
  for (const workload of options.workloads) {
    const measured = targets.filter(({ all }) => workload.name === 'get' || all === true)
    const each = seconds * (reference === undefined ? 1.5 : 2.5)
    const expected = Math.ceil((each * rounds + warmUpSeconds) * measured.length)
    say(`${workload.title}: ${measured.length} targets × ${rounds} rounds, about ${expected} s`)
    // Compilers learn first: nobody measures the first requests after a start.
    for (const target of measured) await warmUp(target, { client, workload, milliseconds: warmUpSeconds * 1000 })
    const pairs: Paired[] = []
    for (let round = 1; round <= rounds; round++) {
      for (const target of shuffled(measured)) {
        pairs.push(await measure(target, { client, reference, workload, milliseconds }))
      }
    }
    tables.push([titleOf(workload), table(measured, pairs, bare)])
    everything.push(...pairs)
    say(`\n${tables.at(-1)!.join('\n\n')}\n`)
  }
  const facts = circumstances({ rounds, seconds, pinned, pairs: everything })
  say(facts)
  if (!save) return
  const file = await saveSection('Requests', facts)
  for (const [title, text] of tables) await saveSection(title, text)
  say(`\nWritten to ${file}`)
}

const list = (text: string): string[] => text.split(',').filter((word) => word !== '')

const chosen = (text: string): readonly Workload[] =>
  list(text).map((name) => {
    const workload = workloads.find((candidate) => candidate.name === name)
    if (workload === undefined)
      throw new TypeError(`There is no workload "${name}"; there are ${workloads.map((each) => each.name).join(', ')}.`)
    return workload
  })

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new TypeError(`--${name} must be a positive number, not "${text}".`)
  return value
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string', default: '1.5' },
      'warm-up': { type: 'string', default: '3' },
      workloads: { type: 'string', default: workloads.map(({ name }) => name).join(',') },
      rules: { type: 'string', default: '1000,10,10000' },
      workers: { type: 'string', default: '1,2' },
      save: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      tokens: { type: 'boolean', default: false },
      start: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    say(usage)
    return
  }
  if (values.tokens) {
    const figures = await tokenFigures(positive('seconds', values.seconds) * 1000)
    say(figures)
    if (values.save) say(`\nWritten to ${await saveSection('Tokens', figures)}`)
    return
  }
  const rounds = values.rounds === undefined ? undefined : Math.ceil(positive('rounds', values.rounds))
  if (values.start) {
    const figures = await withFolder((folder) => startFigures(folder, rounds ?? 9))
    say(figures)
    if (values.save) say(`\nWritten to ${await saveSection('Start', figures)}`)
    return
  }
  if (values.profile) {
    const figures = await withFolder((folder) => profileFigures(folder, 5 * positive('seconds', values.seconds) * 1000))
    say(figures)
    if (values.save) say(`\nWritten to ${await saveSection('Where the time goes', figures)}`)
    return
  }
  const options: Options = {
    rounds: rounds ?? 5,
    seconds: positive('seconds', values.seconds),
    warmUpSeconds: positive('warm-up', values['warm-up']),
    workloads: chosen(values.workloads),
    rules: list(values.rules).map((text) => Math.ceil(positive('rules', text))),
    workers: list(values.workers).map((text) => Math.ceil(positive('workers', text))),
    save: values.save,
    only: list(values.only),
  }
  await withFolder(async (folder) => {
    const bench = await startBench(folder, options)
    const client = startLoadClient()
    const stop = async (): Promise<void> => {
      await Promise.all([client.stop(), bench.stop()])
    }
    const interrupted = new Promise<never>((_, reject) => {
      process.once('SIGINT', () => reject(new Error('Interrupted.')))
    })
    try {
      await Promise.race([run(options, bench, client), interrupted])
    } finally {
      await stop()
    }
  })
}

const withFolder = async <Result>(work: (folder: string) => Promise<Result>): Promise<Result> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mintkeeper-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

try {
  if (process.platform !== 'linux') throw new Error('The benchmark reads CPU times from /proc: it needs Linux.')
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
