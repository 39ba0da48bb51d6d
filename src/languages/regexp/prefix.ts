/** What can be said of a pattern from its beginning. */
import type { Node } from './syntax.ts'

/** Whether a match can only begin where the input does. */
export function anchoredAtStart(node: Node): boolean {
  if (node.kind === 'assertion') return node.at === 'begin' || node.at === 'start'
  if (node.kind === 'concat') return node.items[0] !== undefined && anchoredAtStart(node.items[0])
  if (node.kind === 'alternate') return node.items.every(anchoredAtStart)
  return (node.kind === 'capture' || node.kind === 'atomic') && anchoredAtStart(node.body)
}

/** The text at the start of the input that every match has; '' unless the pattern begins with an anchor. */
export function requiredPrefix(node: Node): string {
  if (node.kind !== 'concat' || node.items[0] === undefined || !anchoredAtStart(node.items[0])) return ''
  let text = ''
  for (const item of node.items.slice(1)) {
    const { literal, whole } = leadingLiteral(item)
    text += literal
    if (!whole) break
  }
  return text
}

/** The text a node begins with, and whether that is all there is to it. */
function leadingLiteral(node: Node): { literal: string; whole: boolean } {
  const code = plainCode(node)
  if (code !== undefined) return { literal: String.fromCodePoint(code), whole: true }
  if (node.kind === 'capture' || node.kind === 'atomic') return leadingLiteral(node.body)
  if (node.kind !== 'concat') return { literal: '', whole: false }
  const codes = literalAt(node.items, 0)
  return { literal: String.fromCodePoint(...codes), whole: codes.length === node.items.length }
}

/** The code of a character that matches itself alone. */
export function plainCode(node: Node): number | undefined {
  if (node.kind !== 'char') return undefined
  if (!node.ignoreCase) return node.code
  // Kept in lower case; what is ASCII and no letter has no other case.
  const cased = node.code > 127 || (node.code >= 0x61 && node.code <= 0x7a)
  return cased ? undefined : node.code
}

/** The plain characters from an index on. */
export function literalAt(items: readonly Node[], from: number): number[] {
  const literal: number[] = []
  for (let i = from; i < items.length; i++) {
    const item = items[i]
    const code = item === undefined ? undefined : plainCode(item)
    if (code === undefined) break
    literal.push(code)
  }
  return literal
}
