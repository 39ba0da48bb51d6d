import { Command } from 'commander'
import { withEndpoint, type EndpointOptions } from './endpoint.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'
import { CommandError } from './terminal.ts'

/** `health alive|ready`: asks a running gateway; for containers without curl. Exit code 1 when the answer is no. */
export function healthCommand({ terminal }: CommandContext): Command {
  const group = withEndpoint(new Command('health').description('Ask a running gateway how it is.'))
  const probe = (name: 'alive' | 'ready', description: string): Command => {
    const command = new Command(name).description(description).action(async () => {
      const { getFromApi, prettyJson } = await import('./api_client.ts')
      const { status, body } = await getFromApi(group.opts<EndpointOptions>(), `/health/${name}`)
      terminal.out(prettyJson(body))
      if (status !== 200) throw new CommandError(`The gateway is not ${name} (HTTP status ${status}).`)
    })
    return withExamples(command, [
      `mintkeeper health ${name} -e http://127.0.0.1:4456`,
      `mintkeeper health --endpoint=http://gateway:4456 ${name}`,
    ])
  }
  group.addCommand(probe('alive', 'Whether it answers at all.'))
  group.addCommand(probe('ready', 'Whether it has its rules and keys and can serve requests.'))
  return withExamples(group, [
    'mintkeeper health alive -e http://127.0.0.1:4456',
    'mintkeeper health ready -e http://127.0.0.1:4456',
  ])
}
