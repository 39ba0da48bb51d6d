import type { Config } from '../config/schema.ts'
import type { Locate, Problem } from '../documents/problem.ts'

type Cors = Config['serve']['api']['cors']

/** Whether every web page could read its visitors' answers: tokens made of their cookies must never be among them. */
export const isOpenToAll = ({ enabled, allow_credentials, allowed_origins }: Cors): boolean =>
  enabled && allow_credentials && (allowed_origins.length === 0 || allowed_origins.includes('*'))

const endpointName = (entry: Config['serve']['proxy']['endpoints'][number]): string =>
  typeof entry === 'string' ? entry : entry.name

/** What is wrong with `whoami` among the endpoints of the proxy. */
export function whoamiProblems({ serve, kratos }: Config, locate: Locate): Problem[] {
  const { endpoints, cors } = serve.proxy
  const index = endpoints.findIndex((entry) => endpointName(entry) === 'whoami')
  if (index === -1) return []
  const problem = (message: string, hint: string): Problem => {
    const place = locate(['serve', 'proxy', 'endpoints', index])
    return { severity: 'error', message, hint, ...(place !== undefined && { place }) }
  }
  return [
    ...(kratos?.public_url === undefined
      ? [problem('The endpoint whoami needs a Kratos to ask', 'Set kratos.public_url.')]
      : []),
    ...(isOpenToAll(cors)
      ? [
          problem(
            "With CORS for every origin and with credentials, every web page could get its visitors' tokens",
            'List the origins in serve.proxy.cors.allowed_origins.',
          ),
        ]
      : []),
  ]
}
