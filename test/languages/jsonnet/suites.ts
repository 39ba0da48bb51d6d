/**
 * Runs the public suites of google/jsonnet and google/go-jsonnet against this interpreter. By hand:
 *
 *   JSONNET_SUITE=…/jsonnet/test_suite GO_JSONNET_SUITE=…/go-jsonnet/testdata node test/languages/jsonnet/suites.ts
 *
 * A file passes when it fails where the suite says so, and gives exactly the expected output elsewhere. Messages of
 * errors are this project's own; how many agree is counted apart. SHOW=1 prints what failed, SHOW=2 the messages, too.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { compileJsonnet, type Importer } from '../../../src/languages/jsonnet/index.ts'
import type { Json } from '../../../src/languages/jsonnet/runtime/json.ts'
import { numberText } from '../../../src/languages/jsonnet/runtime/numbers.ts'

/** The suites have programs that are large on purpose. */
const limits = { steps: 1e9, allocations: 1e9, output: 1e8, text: 1e8, source: 1e8 }
const show = Number(process.env.SHOW ?? 0)

interface Outcome {
  readonly value?: Json
  readonly error?: string
  readonly traces: readonly string[]
}

interface Variables {
  readonly extVars?: Record<string, Json>
  readonly arguments?: Record<string, Json>
}

const importer: Importer = (name, from) => {
  const file = path.join(path.dirname(from), name)
  if (!existsSync(file) || statSync(file).isDirectory()) return undefined
  return { file, bytes: readFileSync(file) }
}

function evaluate(file: string, name: string, variables: Variables): Outcome {
  const traces: string[] = []
  try {
    const program = compileJsonnet(readFileSync(file, 'utf8'), { file: name, limits, importer })
    return { value: program.evaluate({ ...variables, trace: (message) => traces.push(message) }), traces }
  } catch (error) {
    if (!(error instanceof Error) || !error.name.startsWith('Jsonnet')) throw error
    return { error: 'reason' in error ? String(error.reason) : error.message, traces }
  }
}

/** The form in which Jsonnet's command line prints a value. */
function print(value: Json, margin = ''): string {
  const inner = `${margin}   `
  if (typeof value === 'number') return numberText(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const items = Array.isArray(value)
    ? value.map((item) => print(item, inner))
    : Object.entries(value)
        .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
        .map(([name, item]) => `${JSON.stringify(name)}: ${print(item, inner)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  if (items.length === 0) return `${open} ${close}`
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${margin}${close}`
}

class Tally {
  readonly #name: string
  #passed = 0
  #failed = 0
  #messages = 0
  #errors = 0

  constructor(name: string) {
    this.#name = name
  }

  expectError(file: string, outcome: Outcome, golden: string): void {
    this.#count(file, outcome.error !== undefined, `expected an error: ${golden.slice(0, 200)}`)
    if (outcome.error === undefined) return
    this.#errors++
    if (golden.includes(outcome.error)) this.#messages++
    else if (show > 1) console.log(`MESSAGE ${file}\n  ours   ${outcome.error}\n  theirs ${golden.split('\n')[0]}`)
  }

  expectOutput(file: string, outcome: Outcome, actual: string, golden: string): void {
    const detail = outcome.error ?? `got\n${actual.slice(0, 600)}\nexpected\n${golden.slice(0, 600)}`
    this.#count(file, outcome.error === undefined && actual.trimEnd() === golden.trimEnd(), detail)
  }

  report(): void {
    const messages = `${this.#messages} of ${this.#errors} messages agree`
    console.log(`${this.#name}: ${this.#passed} of ${this.#passed + this.#failed} pass (${messages})`)
  }

  #count(file: string, passed: boolean, detail: string): void {
    if (passed) this.#passed++
    else {
      this.#failed++
      if (show > 0) console.log(`FAIL ${file}\n${detail}\n`)
    }
  }
}

const jsonnetFiles = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.jsonnet'))

function googleSuite(folder: string): void {
  const tally = new Tally('google/jsonnet')
  process.chdir(folder)
  const variables: Record<string, Json> = { var1: 'test', var2: { x: 1, y: 2 } }
  for (const file of jsonnetFiles('.')) {
    const given = file.startsWith('tla.') ? { arguments: variables } : { extVars: variables }
    const outcome = evaluate(file, file, given)
    const golden = existsSync(`${file}.golden`) ? readFileSync(`${file}.golden`, 'utf8') : 'true'
    if (file.startsWith('error.')) tally.expectError(file, outcome, golden)
    else {
      const printed = outcome.value === undefined ? '' : print(outcome.value)
      // A trace names the place it came from, which the interpreter leaves to its caller.
      const expected = golden.replaceAll(/^TRACE: [^ ]* /gm, 'TRACE: ')
      tally.expectOutput(
        file,
        outcome,
        [...outcome.traces.map((text) => `TRACE: ${text}`), printed].join('\n'),
        expected,
      )
    }
  }
  tally.report()
}

function goSuite(folder: string): void {
  const tally = new Tally('google/go-jsonnet')
  process.chdir(path.dirname(folder))
  const base = path.basename(folder)
  const extVars: Record<string, Json> = { stringVar: '2 + 2', codeVar: 6 }
  for (const name of jsonnetFiles(base)) {
    const file = path.join(base, name)
    const expected = file.replace(/\.jsonnet$/, '.golden')
    if (!existsSync(expected)) continue
    const outcome = evaluate(file, file.replace(/\.jsonnet$/, ''), name.startsWith('extvar_') ? { extVars } : {})
    if (statSync(expected).isDirectory()) {
      const golden = readdirSync(expected).map((one) => [one, readFileSync(path.join(expected, one), 'utf8').trim()])
      const text = name.endsWith('_string_output.jsonnet') ? String : print
      const files = Object.entries(outcome.value ?? {}).map(([one, value]) => [one, text(value as Json).trim()])
      tally.expectOutput(file, outcome, JSON.stringify(files), JSON.stringify(golden))
      continue
    }
    const golden = readFileSync(expected, 'utf8')
    if (/^(?:RUNTIME ERROR|\S+:[\d(]|couldn't open)/.test(golden)) tally.expectError(file, outcome, golden)
    else if (outcome.value === undefined) tally.expectOutput(file, outcome, '', golden)
    else {
      const printed =
        name.endsWith('_string_output.jsonnet') && typeof outcome.value === 'string'
          ? outcome.value
          : print(outcome.value)
      tally.expectOutput(file, outcome, printed, golden)
    }
  }
  tally.report()
}

const { JSONNET_SUITE, GO_JSONNET_SUITE } = process.env
if (JSONNET_SUITE === undefined && GO_JSONNET_SUITE === undefined) {
  console.error('set JSONNET_SUITE, GO_JSONNET_SUITE or both to the folders of the suites')
  process.exitCode = 2
}
if (JSONNET_SUITE !== undefined) googleSuite(path.resolve(JSONNET_SUITE))
if (GO_JSONNET_SUITE !== undefined) goSuite(path.resolve(GO_JSONNET_SUITE))
