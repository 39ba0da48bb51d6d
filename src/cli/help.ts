import type { Command } from 'commander'

/** Ends a command's help with examples that can be typed as they stand. */
export const withExamples = (command: Command, examples: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`)
