import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CommandError, type Env } from './terminal.ts'

/** Sections of the config, as their environment variables begin. */
const SECTIONS = ['SERVE_', 'ACCESS_RULES_', 'AUTHENTICATORS_', 'AUTHORIZERS_', 'MUTATORS_', 'ERRORS_', 'KRATOS_']

/**
 * The files that `-c` named, in order; it stands before or after the command. None is fine when the environment
 * configures the gateway. Throws CommandError (wrong usage) when there is nothing to go by, or a file is missing.
 */
export function configFiles(command: Command, env: Env): readonly string[] {
  const config = namedConfigFiles(command)
  const configured = Object.keys(env).some((name) => SECTIONS.some((section) => name.startsWith(section)))
  if (config.length === 0 && !configured) {
    throw new CommandError('There is no config: no -c was given, and no environment variable configures anything.', {
      exitCode: 2,
      hint: 'For example: -c mintkeeper.yaml',
    })
  }
  return config
}

/** The same for a command that needs none. */
export function namedConfigFiles(command: Command): readonly string[] {
  const { config = [] } = command.optsWithGlobals<{ config?: readonly string[] }>()
  const missing = config.find((file) => !existsSync(file))
  if (missing !== undefined) {
    throw new CommandError(`The config file ${missing} does not exist.`, {
      exitCode: 2,
      hint: `Looked for ${resolve(missing)}. Name the file with -c, from the working directory or from the root.`,
    })
  }
  return config
}
