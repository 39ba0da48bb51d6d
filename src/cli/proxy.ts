import { Command, InvalidArgumentError, Option } from 'commander'
import { namedConfigFiles } from './config_files.ts'
import { withExamples } from './help.ts'
import type { CommandContext } from './main.ts'
import { CommandError } from './terminal.ts'

/** What the command line says; `proxy_run.ts` makes settings of it. */
export interface ProxyOptions {
  readonly kratos: URL
  readonly kratosBaseUrl?: URL
  readonly kratosHeader: readonly (readonly [name: string, value: string])[]
  readonly host: string
  readonly port?: number
  readonly jwt: boolean
  readonly cookieDomain: string
  readonly defaultRedirectUrl?: URL
  readonly allowedCorsOrigins: readonly string[]
  readonly additionalCorsHeaders: readonly string[]
  readonly rewriteHost: boolean
  readonly debug: boolean
}

/** `proxy`: one origin for an application and a self-hosted Kratos, as `ory proxy` makes it for Ory's cloud. */
export function proxyCommand({ terminal, exit }: CommandContext): Command {
  const command = new Command('proxy')
    .description(
      'Put an application and a self-hosted Kratos on one address, without a config file: Kratos below /.ory, everything else to ' +
        'the application, which gets a short-lived JWT with the whole session. Keys: /.ory/jwks.json.',
    )
    .argument('<upstream>', 'where the application is, such as http://localhost:3000', webUrl)
    .argument('[origin]', 'origin that browsers use, when it is not http://localhost:PORT', publishUrl)
    .requiredOption('--kratos <url>', "Kratos' public API, such as http://127.0.0.1:4433", webUrl)
    .option('--kratos-base-url <url>', "Kratos' serve.public.base_url; by default the URL of --kratos", webUrl)
    .option('--kratos-header <line>', 'a header for every request to Kratos; repeat it for more', headerLines, [])
    .option('--host <address>', 'address to listen on; 0.0.0.0 for all', '127.0.0.1')
    .addOption(
      new Option('--port <number>', 'port to listen on; by default the variable PORT, or 4000').argParser(portNumber),
    )
    .option('--no-jwt', 'make no JWT: the application asks Kratos itself')
    .option('--cookie-domain <domain>', 'domain of all cookies; by default that of the host which sets them', '')
    .option(
      '--default-redirect-url <url>',
      "where redirects to Kratos' /ui/welcome go; by default the origin that browsers use",
      webUrl,
    )
    .option(
      '--allowed-cors-origins <origins>',
      'further origins whose pages may read answers, separated by commas; * for any',
      list,
      [],
    )
    .option('--additional-cors-headers <names>', 'further headers that such pages may send', list, [])
    .option('--rewrite-host', "send the application its own Host, and the client's as X-Forwarded-Host", false)
    .option('--debug', 'log at level debug', false)
    .addOption(new Option('--dev', 'accepted for compatibility, without effect').hideHelp())
    .action(async (application: URL, publish: URL | undefined, options: ProxyOptions) => {
      const port = options.port ?? portOf(terminal.env['PORT'])
      const { runProxy } = await import('./proxy_run.ts')
      exit(await runProxy(terminal, namedConfigFiles(command), application, publish, { ...options, port }))
    })
  return withExamples(command, [
    'mintkeeper proxy http://localhost:3000 --kratos http://127.0.0.1:4433',
    'mintkeeper proxy http://app:3000 https://app.example --kratos http://kratos:4433 --kratos-base-url https://auth.example --host 0.0.0.0',
  ])
}

const DEFAULT_PORT = 4000

/** Throws CommandError (wrong usage). */
function portOf(variable: string | undefined): number {
  if (variable === undefined || variable === '') return DEFAULT_PORT
  const port = asPort(variable)
  if (port === undefined) {
    throw new CommandError(`The variable PORT is no port: ${variable}.`, {
      exitCode: 2,
      hint: 'Set it to a number up to 65535, or give --port.',
    })
  }
  return port
}

function portNumber(text: string): number {
  const port = asPort(text)
  if (port === undefined) throw new InvalidArgumentError('It must be a number up to 65535.')
  return port
}

function asPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  return port <= 65_535 ? port : undefined
}

function webUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('It must be an http or https URL without credentials, query and fragment.')
  }
  return url
}

function publishUrl(text: string): URL {
  const url = webUrl(text)
  if (url.pathname !== '/') throw new InvalidArgumentError('It must be an origin, without a path.')
  return url
}

function list(text: string, before: readonly string[]): readonly string[] {
  const entries = text.split(',').map((entry) => entry.trim())
  return [...before, ...entries.filter((entry) => entry !== '')]
}

function headerLines(line: string, before: ProxyOptions['kratosHeader']): ProxyOptions['kratosHeader'] {
  const colon = line.indexOf(':')
  const [name, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  if (colon < 1 || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    throw new InvalidArgumentError('It must be a header line such as "X-Name: value".')
  }
  return [...before, [name, value]]
}
