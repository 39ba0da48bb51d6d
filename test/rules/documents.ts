import { parseDocument } from '../../src/documents/document.ts'
import { parseRules, type ParsedRules } from '../../src/rules/parse.ts'
import { atOnce } from '../support/pace.ts'
import type { LoadedRule } from '../../src/rules/rule.ts'

/** Parses the text of a rule file named rules.yaml. */
export function parseText(text: string, strict = false): ParsedRules {
  const { document, problems } = parseDocument(text, 'rules.yaml')
  if (document === undefined) throw new Error(problems.map(({ message }) => message).join('\n'))
  return atOnce(parseRules(document, { strict, repository: 'rules.yaml' }))
}

/** The rules of a text that is a list of rules. */
export function rulesOf(text: string, strict = false): readonly LoadedRule[] {
  const parsed = parseText(text, strict)
  if (!parsed.decoded) throw new Error(parsed.problem.message)
  return parsed.rules
}

/** The only rule of a list. */
export function ruleOf(rule: unknown, strict = false): LoadedRule {
  const [only] = rulesOf(JSON.stringify([rule]), strict)
  if (only === undefined) throw new Error('no rule')
  return only
}

export const soundRule = {
  id: 'sound',
  match: { url: 'http://h/<.*>', methods: ['GET'] },
  authenticators: [{ handler: 'noop' }],
  authorizer: { handler: 'allow' },
  mutators: [{ handler: 'noop' }],
  upstream: { url: 'http://u' },
}
