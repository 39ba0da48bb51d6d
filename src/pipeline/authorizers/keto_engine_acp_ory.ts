import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { rateLimited } from '../../outbound/rate_limit.ts'
import { clientAddress } from '../client_address.ts'
import { ConfigError } from '../contract/config_error.ts'
import { defineAuthorizer } from '../contract/handler.ts'
import type { HttpResponse } from '../contract/http_client.ts'
import type { Authorization } from '../contract/outcomes.ts'
import { compileHeaderTemplate } from '../header_template.ts'
import { callFailed, jsonContent, serviceUrl } from '../service_call.ts'

const LIMITS = { giveUpAfter: 1000, maxDelay: 100 }

/** Lets the access control policies of Ory Keto up to version 0.5 decide. */
export const ketoEngineAcpOry = defineAuthorizer({
  name: 'keto_engine_acp_ory',
  config: z.strictObject({
    base_url: serviceUrl.describe('Address of Ory Keto.'),
    required_action: z.string().describe('Go template of the action.'),
    required_resource: z.string().describe('Go template of the resource.'),
    subject: z.string().default('').describe("Go template of the subject; empty means the session's."),
    flavor: z.string().default('regex').describe('Pattern language of the policies: exact, glob or regex.'),
  }),
  create(config, setup) {
    if (setup.matchingStrategy !== 'regexp') {
      throw new ConfigError(
        'The matched handler uses Regexp MatchingStrategy which is not selected in the configuration',
        [],
        'Set access_rules.matching_strategy to regexp, or use the authorizer remote_json.',
      )
    }
    const { base_url: base, flavor } = config
    const path = `engines/acp/ory/${encodeURIComponent(flavor === '' ? 'regex' : flavor)}/allowed`
    const url = new URL(path, base.endsWith('/') ? base : `${base}/`).href
    const action = compileHeaderTemplate(config.required_action, ['required_action'], setup)
    const resource = compileHeaderTemplate(config.required_resource, ['required_resource'], setup)
    const subject = config.subject === '' ? undefined : compileHeaderTemplate(config.subject, ['subject'], setup)

    return {
      async authorize(exchange) {
        const body = JSON.stringify({
          action: action(exchange),
          context: {
            remoteIpAddress: clientAddress(exchange.inbound),
            requestedAt: new Date(setup.clock.now()).toISOString(),
          },
          resource: resource(exchange),
          subject: subject === undefined ? exchange.session.subject : subject(exchange),
        })
        try {
          return verdict(await setup.http.send({ method: 'POST', url, headers: [jsonContent], body }, LIMITS))
        } catch (error) {
          return { outcome: 'unavailable', error: callFailed('authorizer_failed', 'policy engine', error) }
        }
      },
      owns: [],
    }
  },
})

function verdict(response: HttpResponse): Authorization {
  const { status, body } = response
  if (status === 429) return { outcome: 'denied', error: rateLimited(response) }
  const allowed = status === 200 ? allowedIn(body) : status === 403 ? false : undefined
  if (allowed === undefined) {
    const reason = status === 200 ? 'answered 200 without a decision' : `answered ${status}`
    return {
      outcome: 'unavailable',
      error: new GatewayError('authorizer_failed', { reason: `The policy engine ${reason}` }),
    }
  }
  return allowed ? { outcome: 'allowed' } : { outcome: 'denied', error: new GatewayError('access_denied') }
}

/** Keto's decision; undefined for what is none. */
function allowedIn(body: string): boolean | undefined {
  try {
    const document = JSON.parse(body) as { readonly allowed?: unknown } | null
    return typeof document?.allowed === 'boolean' ? document.allowed : undefined
  } catch {
    return undefined
  }
}
