/** What can be said of claims without a session, whatever language they are written in. */
import { outlineJsonnet, type Outline, type OutlineObject } from '../../languages/jsonnet/index.ts'

export type { Outline, OutlineObject }

/** Claims as the config has them: an object with Handlebars in its strings, or a Go template. */
export function outlineOf(claims: unknown): Outline {
  return typeof claims === 'string' ? outlineOfText(claims) : outlineOfData(claims, (text) => text.includes('{{'))
}

/** The member `claims` of what a mapper in Jsonnet makes. */
export function outlineOfMapper(source: string): Outline {
  const program = outlineJsonnet(source)
  return isOutlineObject(program) ? program.members.get('claims') : undefined
}

export const isOutlineObject = (value: Outline): value is OutlineObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function outlineOfData(value: unknown, isTemplate: (text: string) => boolean): Outline {
  if (typeof value === 'string') return isTemplate(value) ? undefined : value
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value !== 'object') return undefined
  if (Array.isArray(value)) return value.map((item: unknown) => outlineOfData(item, isTemplate))
  const members = Object.entries(value).map(([name, member]) => [name, outlineOfData(member, isTemplate)] as const)
  return { members: new Map(members), complete: !members.some(([name]) => isTemplate(name)) }
}

/** Stands in for what an action prints; no text that people write holds it. */
const MARK = '\uE000'
/** A comment, or an assignment: both print nothing. */
const silent = /^-?\s*(?:\/\*|\$\w+\s*(?:,\s*\$\w+\s*)?:?=)/u
/** Beyond these what is printed depends on the session. */
const control = /^-?\s*(?:if|else|end|range|with|define|block|template|break|continue)\b/u
/** Comments and the action's own strings may hold braces. */
const action = /\{\{((?:\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|`[^`]*`|[^"`}]|\}(?!\}))*)\}\}/gu

/** A Go template that is a JSON text but for the values that its actions print. */
function outlineOfText(text: string): Outline {
  let branches = false
  let last = 0
  let inString = false
  let json = ''
  for (const { 0: whole, 1: body = '', index } of text.matchAll(action)) {
    const before = text.slice(last, index)
    inString = endsInString(before, inString)
    last = index + whole.length
    json += before
    if (control.test(body)) branches = true
    if (!silent.test(body)) json += inString ? MARK : `"${MARK}"`
  }
  if (branches) return undefined
  try {
    return outlineOfData(JSON.parse(json + text.slice(last)), (value) => value.includes(MARK))
  } catch {
    return undefined
  }
}

function endsInString(text: string, inString: boolean): boolean {
  let inside = inString
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') inside = !inside
    else if (inside && text[at] === '\\') at++
  }
  return inside
}
