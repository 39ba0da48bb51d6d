import { run } from '../../src/cli/main.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

const COMMANDS = [
  [],
  ['serve'],
  ['proxy'],
  ['validate'],
  ['explain'],
  ['rules', 'list'],
  ['rules', 'get'],
  ['jwks', 'generate'],
  ['jwks', 'rotate'],
  ['jwks', 'public'],
  ['jwks', 'list'],
  ['credentials', 'generate'],
  ['health', 'alive'],
  ['health', 'ready'],
  ['version'],
]

/** The help of every command. */
export async function commandReference(): Promise<string> {
  const sections: string[] = []
  for (const command of COMMANDS) {
    let help = ''
    const terminal = { out: (text: string) => (help += text), err: () => undefined, env: {} } as unknown as Terminal
    await run([...command, '--help'], terminal)
    sections.push(`## ${['mintkeeper', ...command].join(' ')}\n\n\`\`\`text\n${help.trim()}\n\`\`\``)
  }
  return `# Command line

Exit status: 0 all is well, 1 a problem was found or met, 2 the command was used wrongly.

${sections.join('\n\n')}
`
}
