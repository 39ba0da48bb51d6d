/**
 * `npm run bench`: Mintkeeper beside nginx and Caddy in one run on this machine, nothing but 127.0.0.1. Each sample stands between
 * two of nginx as a plain proxy, in shuffled order: rates move with the machine, their ratios hardly do.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { body } from './answers.ts'
import { measure, startLoadClient, warmUp, type LoadClient, type Paired } from './measure.ts'
import { circumstances, table } from './report.ts'
import { saveSection } from './results_file.ts'
import { pinned, startBench, type Bench, type Target } from './targets.ts'
import { tokenFigures } from './tokens.ts'

const usage = `Usage: npm run bench [-- options]

  --rounds <n>       how often each target is measured (default: 5)
  --seconds <n>      length of one sample; its reference and warm-up take one and a half times as long (default: 1.5)
  --connections <n>  at the same time (default: 64)
  --only <words>     only the targets whose names contain one of these, separated by commas
  --tokens           what tokens cost, and what a claims mapper without end costs others, instead of requests
  --save             write bench/RESULTS.md
  --help             print this
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
  if ((await get(target, target.path)) !== body) throw new Error(`${target.name}: the answer is not the upstream's`)
  if (target.echo === undefined) return
  const { authorization } = JSON.parse(await get(target, target.echo.path)) as { authorization: string }
  if (!target.echo.expected.test(authorization)) throw new Error(`${target.name}: the upstream got "${authorization}"`)
}

interface Options {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly save: boolean
  readonly only: readonly string[]
}

const run = async (
  { rounds, seconds, connections, save, only }: Options,
  bench: Bench,
  client: LoadClient,
): Promise<void> => {
  const { reference } = bench
  const targets = bench.targets.filter(({ name }) => only.length === 0 || only.some((word) => name.includes(word)))
  if (targets.length === 0) throw new Error('No target has a name like that.')
  for (const target of targets) await checkAnswer(target)
  const each = seconds * (reference === undefined ? 1.5 : 2.5)
  say(
    `${targets.length} targets × ${rounds} rounds, about ${Math.ceil(each * targets.length * rounds + seconds * targets.length)} s`,
  )
  if (reference === undefined) say('nginx is not installed: nothing to compare with.')

  // Compilers learn first: nobody measures the first requests after a start.
  for (const target of targets) await warmUp(target, { client, connections, milliseconds: seconds * 1000 })
  const pairs: Paired[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const target of shuffled(targets)) {
      pairs.push(await measure(target, { client, reference, connections, milliseconds: seconds * 1000 }))
    }
    say(`round ${round} of ${rounds} done`)
  }
  const result = `${table(targets, pairs)}\n\n${circumstances({ connections, rounds, seconds, pinned, pairs })}`
  say(`\n${result}`)
  if (!save) return
  const file = path.join(import.meta.dirname, 'RESULTS.md')
  await writeFile(file, `# Results of \`npm run bench\`\n\n${result}\n`)
  say(`\nWritten to ${path.relative(process.cwd(), file)}`)
}

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new TypeError(`--${name} must be a positive number, not "${text}".`)
  return value
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1.5' },
      connections: { type: 'string', default: '64' },
      save: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      tokens: { type: 'boolean', default: false },
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
  const options: Options = {
    rounds: Math.ceil(positive('rounds', values.rounds)),
    seconds: positive('seconds', values.seconds),
    connections: Math.ceil(positive('connections', values.connections)),
    save: values.save,
    only: values.only.split(',').filter((word) => word !== ''),
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'mintkeeper-bench-'))
  try {
    const bench = await startBench(folder)
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
