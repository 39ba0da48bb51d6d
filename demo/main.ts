/**
 * `npm run demo`: a login session turns into a JWT that PostgREST accepts, and row-level security shows each user their
 * own rows. With `--check` it walks through all of it by itself and exits with 0, or says what failed.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { checkStack } from './check.ts'
import { DemoFailure } from './failure.ts'
import { fixedPorts, freePorts, type Ports } from './ports.ts'
import { startStack, type Stack } from './stack.ts'

const usage = `Usage: npm run demo [-- options]

  --check        start everything, try it, stop it; exits with 0 when all went well
  --port <port>  first of the nine ports in a row that the demo takes (default: 4455)
  --help         print this

KRATOS_PUBLIC_URL   a real Kratos to use instead of the stand-in
POSTGREST_BIN       a PostgREST to use instead of the one from npm
`

interface Options {
  readonly check: boolean
  /** Undefined unless asked for. */
  readonly port: number | undefined
}

const say = (message: string): void => {
  process.stdout.write(`${message}\n`)
}

/** Undefined when only the usage was asked for. */
const options = (): Options | undefined => {
  const { values } = parseArgs({
    options: { check: { type: 'boolean', default: false }, port: { type: 'string' }, help: { type: 'boolean' } },
  })
  if (values.help === true) return undefined
  const text = values.port ?? process.env['DEMO_PORT']
  const port = text === undefined ? undefined : Number(text)
  if (port !== undefined && (!Number.isInteger(port) || port < 1024 || port > 65_000)) {
    throw new DemoFailure(`--port must be a number from 1024 to 65000, not "${text}".`)
  }
  return { check: values.check, port }
}

const instructions = ({ publicUrl, users: [alice, bob], standIn }: Stack): string => `
Open ${publicUrl}/ and sign in${
  standIn === undefined
    ? ''
    : `:
  ${alice.email}  ${alice.password}
  ${bob.email}    ${bob.password}`
}

Or try it on the command line:
  nobody   curl ${publicUrl}/rest/notes
  Alice    curl ${publicUrl}/rest/notes -H 'Authorization: Bearer ${alice.token}'
  Bob      curl ${publicUrl}/rest/notes -H 'Authorization: Bearer ${bob.token}'

Ctrl-C stops everything.`

/** Resolves at the first signal; a second one ends the process at once. */
const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) process.exit(130)
        asked = true
        resolve()
      })
    }
  })

/** Any free ports for a check, so that it runs beside a demo. */
const portsFor = ({ check, port }: Options): Promise<Ports> =>
  check && port === undefined ? freePorts() : fixedPorts(port ?? 4455)

const run = async (chosen: Options): Promise<boolean> => {
  const signal = interrupted()
  const logs = chosen.check
    ? await mkdtemp(path.join(tmpdir(), 'mintkeeper-demo-logs-'))
    : path.join(import.meta.dirname, '..', '.demo')
  const kratosUrl = process.env['KRATOS_PUBLIC_URL']?.replace(/\/+$/, '') || undefined
  let stopping = false
  const report = (message: string): void => {
    if (!stopping) say(message)
  }
  const starting = startStack({ ports: await portsFor(chosen), logs, kratosUrl, say: report })
  const stack = await Promise.race([starting, signal]).catch((error: unknown) => {
    say(`The demo did not start. Logs: ${path.resolve(logs)}`)
    throw error
  })
  let passed = true
  try {
    if (stack !== undefined && chosen.check) {
      const outcome = await Promise.race([checkStack(stack, report), signal])
      passed = outcome === true
    } else if (stack !== undefined) {
      say(instructions(stack))
      await signal
    } else {
      passed = !chosen.check
    }
  } finally {
    stopping = true
    if (!chosen.check) say('\nStopping…')
    await starting.then(
      ({ stop }) => stop(),
      () => undefined,
    )
    if (chosen.check && passed) await rm(logs, { recursive: true, force: true })
  }
  if (chosen.check) say(passed ? 'The demo works.' : `The demo does not work. Logs: ${logs}`)
  return passed
}

try {
  const chosen = options()
  if (chosen === undefined) say(usage)
  else process.exitCode = (await run(chosen)) ? 0 : 1
} catch (error) {
  const known = error instanceof DemoFailure || (error instanceof TypeError && 'code' in error)
  const stack = String(error instanceof Error ? error.stack : error)
  process.stderr.write(
    known ? `${error.message}\n` : `The demo failed unexpectedly. Please report it with these lines:\n${stack}\n`,
  )
  process.exitCode = 1
}
