/**
 * The command line: which commands there are, and what becomes of what they return or throw.
 * A command's own code is loaded when it runs: a health check does not load a gateway.
 */
import { Command, CommanderError } from 'commander'
import { claimsCommand } from './claims.ts'
import { credentialsCommand } from './credentials.ts'
import { explainCommand } from './explain.ts'
import { healthCommand } from './health.ts'
import { jwksCommand } from './jwks.ts'
import { proxyCommand } from './proxy.ts'
import { rulesCommand } from './rules.ts'
import { serveCommand } from './serve.ts'
import { CommandError, printCrash, printError, processTerminal, type ExitCode, type Terminal } from './terminal.ts'
import { validateCommand } from './validate.ts'
import { versionCommand } from './version.ts'
import { withExamples } from './help.ts'

/** Runs the command that the process was started with and sets its exit code. */
export async function main(): Promise<void> {
  const terminal = processTerminal()
  process.on('uncaughtException', (error) => {
    printCrash(terminal, error)
    process.exit(1)
  })
  process.exitCode = await run(process.argv.slice(2), terminal)
}

/** Runs one command line (without `node` and the script). Rejects for faults of ours only. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  const program = createProgram(terminal, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof CommandError) {
      printError(terminal, error)
      return error.exitCode
    }
    throw error
  }
}

/** Passed to every command: how it prints, and how it says its exit code. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly exit: (code: ExitCode) => void
}

function createProgram(terminal: Terminal, exit: (code: ExitCode) => void): Command {
  const program = new Command('mintkeeper')
  program
    .description(
      'An identity-aware reverse proxy: turns Ory Kratos sessions into JWTs, with Ory Oathkeeper’s config and rules.',
    )
    .option(
      '-c, --config <file>',
      'config file; repeat it or separate files by commas, later ones win',
      (value: string, files: readonly string[] | undefined) => [
        ...(files ?? []),
        ...value.split(',').filter((file) => file !== ''),
      ],
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: (text) => printError(terminal, usageError(text)),
    })
    .showHelpAfterError('  See --help.')
    .exitOverride()
  const context: CommandContext = { terminal, exit }
  const commands = [
    serveCommand(context),
    proxyCommand(context),
    validateCommand(context),
    explainCommand(context),
    rulesCommand(context),
    claimsCommand(context),
    jwksCommand(context),
    credentialsCommand(context),
    healthCommand(context),
    versionCommand(context),
  ]
  for (const command of commands) inherit(program.addCommand(command), command)
  return withExamples(program, [
    'mintkeeper serve -c mintkeeper.yaml',
    'mintkeeper explain GET https://app.example/notes -c mintkeeper.yaml',
  ])
}

/** Commander's words in the form of our own errors: `error: …`, and a suggestion in brackets on the next line. */
function usageError(text: string): CommandError {
  const [message = '', suggestion] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n')
  return new CommandError(`${message.replace(/\.$/, '')}.`, { hint: suggestion?.replace(/^\((.*)\)$/, '$1') })
}

/** `addCommand` leaves a command its own settings; all of ours print and fail alike. */
function inherit(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) inherit(command, child)
}
