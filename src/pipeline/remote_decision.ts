/** The question that `remote` and `remote_json` ask, and what the answer decides; they differ in the body they send. */
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { rateLimited } from '../outbound/rate_limit.ts'
import type { Exchange } from './contract/exchange.ts'
import type { HeaderEdit } from './contract/headers.ts'
import type { HttpResponse } from './contract/http_client.ts'
import type { Authorization } from './contract/outcomes.ts'
import type { Setup } from './contract/setup.ts'
import { compileHeaderTemplate } from './header_template.ts'
import {
  callFailed,
  firstValue,
  forwardedHeaders,
  forwardedNames,
  forwardHttpHeaders,
  headerBytes,
  headerName,
  limitsOf,
  retry,
  sentHeaderName,
  serviceUrl,
} from './service_call.ts'

export const remoteFields = {
  remote: serviceUrl.describe('URL that decides: 200 allows, 403 refuses.'),
  headers: z
    .record(sentHeaderName, z.string())
    .default({})
    .describe('Headers of the call and Go templates of their values; an empty value is not sent.'),
  forward_http_headers: forwardHttpHeaders.describe(
    'Request headers that are sent along. Absent: Authorization, or none while safeguards.client_headers is drop.',
  ),
  forward_response_headers_to_upstream: z
    .array(headerName)
    .default([])
    .describe(
      "Headers of the answer that the upstream gets in the place of the client's; empty when the answer has none.",
    ),
  retry: retry.prefault({}).describe('Limits of the call.'),
}

type RemoteConfig = z.output<z.ZodObject<typeof remoteFields>>

interface Content {
  readonly type: string | undefined
  readonly body: string | Uint8Array | undefined
}

/** Asks with POST. Throws GatewayError `template_failed`; ConfigError at load for a malformed template. */
export type AskRemote = (exchange: Exchange, content: Content) => Promise<Authorization>

export function remoteDecision(config: RemoteConfig, setup: Setup): AskRemote {
  const { remote: url } = config
  const forwarded = forwardedNames(config.forward_http_headers, setup.safeguards, ['authorization'])
  const templates = Object.entries(config.headers).map(([name, source]) => ({
    name: name.toLowerCase(),
    render: compileHeaderTemplate(source, ['headers', name], setup),
  }))
  const limits = { ...limitsOf(config.retry), maxBody: 0 }

  return async (exchange, { type, body }) => {
    const headers = forwardedHeaders(exchange.inbound, forwarded)
    if (type !== undefined) headers.set('content-type', type)
    for (const { name, render } of templates) {
      const value = render(exchange)
      if (value !== '') headers.set(name, headerBytes(value))
    }
    try {
      const request = { method: 'POST', url, headers: [...headers], ...(body !== undefined && { body }) }
      return verdict(await setup.http.send(request, limits), config.forward_response_headers_to_upstream)
    } catch (error) {
      return { outcome: 'unavailable', error: callFailed('authorizer_failed', 'remote authorizer', error) }
    }
  }
}

function verdict(response: HttpResponse, toUpstream: readonly string[]): Authorization {
  switch (response.status) {
    case 200:
      return {
        outcome: 'allowed',
        edits: toUpstream.map((name): HeaderEdit => [name, firstValue(response, name) ?? '']),
      }
    case 403:
      return {
        outcome: 'denied',
        error: new GatewayError('access_denied', { detail: 'the remote authorizer answered 403' }),
      }
    case 429:
      return { outcome: 'denied', error: rateLimited(response) }
    default:
      return {
        outcome: 'unavailable',
        error: new GatewayError('authorizer_failed', { reason: `The remote authorizer answered ${response.status}` }),
      }
  }
}
