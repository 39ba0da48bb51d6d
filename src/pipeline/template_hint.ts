/** What the config can do about a Go template that cannot be compiled. */
import { allowableIn, type TemplateSyntaxError } from '../languages/gotemplate/index.ts'

/** One sentence: how an unsafe function can be had; undefined where no key of the config would help. */
export function templateHint({ reason }: TemplateSyntaxError): string | undefined {
  const name = allowableIn(reason)
  if (name === undefined) return undefined
  return `If the template is to have it all the same, allow it with \`templates.allow_functions: [${name}]\`.`
}
