/** Go templates whose result is a header or cookie value. */
import { GatewayError } from '../errors.ts'
import { compileTemplate, TemplateExecError, TemplateSyntaxError } from '../languages/gotemplate/index.ts'
import { ConfigError } from './contract/config_error.ts'
import type { Exchange } from './contract/exchange.ts'
import type { Setup } from './contract/setup.ts'
import { templateData } from './template_data.ts'
import { templateHint } from './template_hint.ts'

/** Renders for one request; throws GatewayError `template_failed`. */
export type RenderHeader = (exchange: Exchange) => string

/**
 * Compiles a template at load.
 * @param path where the template stands in the handler's config
 * @throws ConfigError when it is malformed
 */
export function compileHeaderTemplate(source: string, path: readonly string[], setup: Setup): RenderHeader {
  let template: ReturnType<typeof compileTemplate>
  try {
    template = compileTemplate(source, { ...setup.templates, missingField: setup.safeguards.missing_field })
  } catch (error) {
    if (error instanceof TemplateSyntaxError)
      throw new ConfigError(`The template is malformed: ${error.message}`, path, templateHint(error), error)
    throw error
  }
  const name = path.at(-1) ?? ''
  if (template.reads.length === 0 && !template.volatile) {
    const constant = attempt(() => headerValue(template.render(null)))
    if (constant !== undefined) return () => constant
  }
  return (exchange) => {
    try {
      return headerValue(template.render(templateData(exchange)))
    } catch (error) {
      if (!(error instanceof TemplateExecError) && !(error instanceof UnfitValue)) throw error
      throw new GatewayError('template_failed', {
        reason: `The template of "${name}" failed: ${error.message}`,
        cause: error,
      })
    }
  }
}

/** A template of nothing but text is rendered once; should it fail it fails at each request, as any other does. */
function attempt(render: () => string): string | undefined {
  try {
    return render()
  } catch {
    return undefined
  }
}

class UnfitValue extends Error {
  override readonly name = 'UnfitValue'
}

/** RFC 9110 section 5.5: no control characters. */
function headerValue(text: string): string {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) throw new UnfitValue('the value has a control character')
  }
  return text
}
