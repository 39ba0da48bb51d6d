import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { compileTemplate, TemplateExecError, TemplateSyntaxError } from '../../languages/gotemplate/index.ts'
import { ConfigError } from '../contract/config_error.ts'
import type { Exchange } from '../contract/exchange.ts'
import { defineAuthorizer } from '../contract/handler.ts'
import type { Setup } from '../contract/setup.ts'
import { remoteDecision, remoteFields } from '../remote_decision.ts'
import { templateData } from '../template_data.ts'
import { templateHint } from '../template_hint.ts'

/** Lets a service decide that gets a JSON document about the session and the request. */
export const remoteJson = defineAuthorizer({
  name: 'remote_json',
  config: z.strictObject({
    ...remoteFields,
    payload: z
      .string()
      .min(1)
      .describe('Go template of the JSON that is sent; values keep to their place in it, whatever they contain.'),
  }),
  create(config, setup) {
    const ask = remoteDecision(config, setup)
    const payload = compilePayload(config.payload, setup)
    return {
      authorize: (exchange) => ask(exchange, { type: 'application/json', body: payload(exchange) }),
      owns: config.forward_response_headers_to_upstream.map((name) => name.toLowerCase()),
    }
  },
})

/** Renders for one request; throws GatewayError `template_failed`. Throws ConfigError for what can never be JSON. */
function compilePayload(source: string, { safeguards, templates }: Setup): (exchange: Exchange) => string {
  let template: ReturnType<typeof compileTemplate>
  try {
    template = compileTemplate(source, { ...templates, output: 'json', missingField: safeguards.missing_field })
  } catch (error) {
    if (error instanceof TemplateSyntaxError)
      throw new ConfigError(`The template is malformed: ${error.message}`, ['payload'], templateHint(error), error)
    throw error
  }
  if (!source.includes('{{') && !isJson(source)) throw new ConfigError('payload is not a JSON text', ['payload'])
  return (exchange) => {
    let text: string
    try {
      text = template.render(templateData(exchange))
    } catch (error) {
      if (!(error instanceof TemplateExecError)) throw error
      throw new GatewayError('template_failed', {
        reason: `The template of "payload" failed: ${error.message}`,
        cause: error,
      })
    }
    // The parser's message is left out: it quotes the session's values.
    if (!isJson(text)) throw new GatewayError('template_failed', { reason: 'payload is not a JSON text' })
    return text
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
