/** Asks the API of a running gateway. Made of node's own parts, so that a probe every few seconds costs little. */
import { text } from 'node:stream/consumers'
import type { EndpointOptions } from './endpoint.ts'
import { CommandError } from './terminal.ts'

// Imported, node's http would bring all of fetch with it, for the sake of its names.
const { get: getHttp } = process.getBuiltinModule('node:http')
const { get: getHttps } = process.getBuiltinModule('node:https')

export interface ApiResult {
  readonly status: number
  /** The decoded body; its text when it is no JSON. */
  readonly body: unknown
}

const TIMEOUT_MS = 10_000

/**
 * Gets `path` from the API at `endpoint`. Throws CommandError: with exit code 2 when there is no usable endpoint, with 1
 * when nobody answers.
 */
export async function getFromApi({ endpoint }: EndpointOptions, path: string): Promise<ApiResult> {
  const url = endpointUrl(endpoint, path)
  try {
    return await get(url)
  } catch (error) {
    throw new CommandError(`No answer from ${url.origin}: ${reasonOf(error)}.`, {
      hint: 'Check that the gateway runs, and that --endpoint names its API port (serve.api.port), not its proxy port.',
    })
  }
}

function get(url: URL): Promise<ApiResult> {
  return new Promise((resolve, reject) => {
    const options = { signal: AbortSignal.timeout(TIMEOUT_MS), headers: { accept: 'application/json' } }
    const request = (url.protocol === 'https:' ? getHttps : getHttp)(url, options, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body: decode(body) }), reject)
    })
    request.on('error', reject)
  })
}

function endpointUrl(endpoint: string | undefined, path: string): URL {
  if (endpoint === undefined || endpoint === '') {
    throw new CommandError('Please specify the endpoint url using the --endpoint flag.', {
      exitCode: 2,
      hint: 'For example: --endpoint http://127.0.0.1:4456',
    })
  }
  const base = URL.parse(endpoint)
  if (base === null || (base.protocol !== 'http:' && base.protocol !== 'https:')) {
    throw new CommandError(`${JSON.stringify(endpoint)} is not an http or https URL.`, {
      exitCode: 2,
      hint: 'For example: --endpoint http://127.0.0.1:4456',
    })
  }
  return new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError') return `nothing came within ${TIMEOUT_MS / 1000} s`
  // Several addresses were tried; each has its own reason.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error && first.message !== '' ? first.message : error.message
}

function decode(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** For people and for jq alike. */
export const prettyJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
