import { Command } from 'commander'
import { withEndpoint, type EndpointOptions } from './endpoint.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'
import { CommandError } from './terminal.ts'

interface ListOptions {
  readonly limit: number
  readonly page: number
}

/** `rules list|get`: the access rules that a running gateway uses, as JSON. */
export function rulesCommand({ terminal }: CommandContext): Command {
  const group = withEndpoint(new Command('rules').description('See the access rules of a running gateway.'))
  const list = new Command('list')
    .description('Print the rules.')
    .option('--limit <number>', 'rules per page', positive('--limit'), 20)
    .option('--page <number>', 'which page, from 1', positive('--page'), 1)
    .action(async ({ limit, page }: ListOptions) => {
      const { getFromApi, prettyJson } = await import('./api_client.ts')
      const path = `/rules?limit=${limit}&offset=${limit * page - limit}`
      const { status, body } = await getFromApi(group.opts<EndpointOptions>(), path)
      if (status !== 200) throw unexpected(status)
      terminal.out(prettyJson(body))
    })
  const get = new Command('get')
    .description('Print one rule.')
    .argument('<id>', 'id of the rule')
    .action(async (id: string) => {
      const { getFromApi, prettyJson } = await import('./api_client.ts')
      const { status, body } = await getFromApi(group.opts<EndpointOptions>(), `/rules/${encodeURIComponent(id)}`)
      if (status === 404) {
        throw new CommandError(`There is no rule ${JSON.stringify(id)}.`, {
          hint: '`mintkeeper rules list` shows the ids; a rule with a mistake is not listed, `mintkeeper validate` shows why.',
        })
      }
      if (status !== 200) throw unexpected(status)
      terminal.out(prettyJson(body))
    })
  group.addCommand(
    withExamples(list, [
      'mintkeeper rules list -e http://127.0.0.1:4456',
      'mintkeeper rules list -e http://127.0.0.1:4456 --limit 100 --page 2',
    ]),
  )
  group.addCommand(
    withExamples(get, [
      'mintkeeper rules get notes -e http://127.0.0.1:4456',
      'mintkeeper rules --endpoint=http://gateway:4456 get notes',
    ]),
  )
  return withExamples(group, [
    'mintkeeper rules list -e http://127.0.0.1:4456',
    'mintkeeper rules get notes -e http://127.0.0.1:4456',
  ])
}

const unexpected = (status: number): CommandError =>
  new CommandError(`The gateway answered with HTTP status ${status}.`, {
    hint: 'Check that --endpoint names the API port of the gateway (serve.api.port).',
  })

const positive =
  (option: string) =>
  (value: string): number => {
    const number = Number(value)
    if (!Number.isInteger(number) || number < 1) {
      throw new CommandError(`${option} must be a whole number from 1, not ${JSON.stringify(value)}.`, { exitCode: 2 })
    }
    return number
  }
