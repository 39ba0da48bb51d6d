import { GatewayError } from '../../errors.ts'
import { compileTemplate, TemplateExecError, TemplateSyntaxError } from '../../languages/gotemplate/index.ts'
import { ConfigError } from '../../pipeline/contract/config_error.ts'
import type { Exchange } from '../../pipeline/contract/exchange.ts'
import type { TemplateSettings } from '../../pipeline/contract/setup.ts'
import type { JsonObject } from '../../pipeline/contract/values.ts'
import { templateData } from '../../pipeline/template_data.ts'
import { templateHint } from '../../pipeline/template_hint.ts'
import { digest, sessionFingerprint } from './fingerprint.ts'
import type { ReadPath, RenderedClaims } from './template.ts'

export interface GoClaimsOptions {
  /** What a value does that the session does not have: fails the request, or prints as in Go. */
  readonly missingField: 'error' | 'empty'
  readonly templates?: TemplateSettings
}

/** How the fields of Go's session struct are called in a session. */
const sessionFields: ReadonlyMap<string, string> = new Map([
  ['Subject', 'subject'],
  ['Extra', 'extra'],
])

/**
 * Claims as Oathkeeper has them: a Go template whose output is a JSON object. What a value prints within a JSON string is
 * escaped for it, and outside of one it must be a single JSON value, so that a value stays within its claim. Of members
 * that the author writes twice the last one counts.
 * Throws ConfigError for a template that cannot be compiled.
 */
export function goClaims(source: string, options: GoClaimsOptions): RenderedClaims {
  const template = compile(source, options)
  const reads = template.volatile ? undefined : sessionReads(template.reads)
  const fingerprintOf = reads && sessionFingerprint(reads)
  return {
    identity: digest(['go', options.missingField, source]),
    replacesRegistered: false,
    evaluate(exchange: Exchange) {
      const text = render(() => template.render(templateData(exchange)))
      const claims: unknown = parse(text)
      if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims as JsonObject
      throw new GatewayError('template_failed', { reason: 'The claims template does not make a JSON object' })
    },
    fingerprint: ({ session }) => fingerprintOf?.(session),
  }
}

function compile(source: string, { missingField, templates }: GoClaimsOptions): ReturnType<typeof compileTemplate> {
  try {
    return compileTemplate(source, { ...templates, output: 'json', missingField })
  } catch (error) {
    if (!(error instanceof TemplateSyntaxError)) throw error
    throw new ConfigError(
      `The Go template has a mistake at line ${error.line}, column ${error.column}: ${error.reason}`,
      [],
      templateHint(error),
      error,
    )
  }
}

/** The paths in a session; undefined when the template reads anything else. */
function sessionReads(reads: readonly ReadPath[]): readonly ReadPath[] | undefined {
  const paths = reads.map(([root = '', ...rest]) => [sessionFields.get(root) ?? '', ...rest])
  return paths.every(([root]) => root !== '') ? paths : undefined
}

function render(run: () => string): string {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof TemplateExecError)) throw error
    throw new GatewayError('template_failed', {
      reason: `The claims template failed at line ${error.line}, column ${error.column}: ${error.reason}`,
    })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message is left out: it quotes the session's values.
    throw new GatewayError('template_failed', { reason: 'The claims template does not make valid JSON' })
  }
}
