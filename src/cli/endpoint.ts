import type { Command } from 'commander'

export interface EndpointOptions {
  readonly endpoint?: string
}

/** Stands on the command group, so that it is understood before and after the command's name. */
export const withEndpoint = (group: Command): Command =>
  group.option('-e, --endpoint <url>', "URL of the gateway's API, such as http://127.0.0.1:4456")
