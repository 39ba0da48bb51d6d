import { Command } from 'commander'
import { version } from '../version.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'

/** `version`: which build this is. */
export function versionCommand({ terminal }: CommandContext): Command {
  const command = new Command('version')
    .description('Print the version.')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }) => {
      // Build arguments of the container image.
      const { MINTKEEPER_GIT_HASH: gitHash = 'unknown', MINTKEEPER_BUILD_TIME: buildTime = 'unknown' } = terminal.env
      const node = process.version
      if (json === true) {
        terminal.out(`${JSON.stringify({ version, git_hash: gitHash, build_time: buildTime, node }, null, 2)}\n`)
      } else {
        terminal.out(`Version:    ${version}\nGit Hash:   ${gitHash}\nBuild Time: ${buildTime}\n`)
      }
    })
  return withExamples(command, ['mintkeeper version', 'mintkeeper version --json'])
}
