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
  return leadingText(node.items.slice(1)).text
}

function leadingText(items: readonly Node[]): { text: string; whole: boolean } {
  let text = ''
  for (const item of items) {
    const lead = leadingTextOf(item)
    text += lead.text
    if (!lead.whole) return { text, whole: false }
  }
  return { text, whole: true }
}

/** The text a node begins with, and whether that is all there is to it. */
function leadingTextOf(node: Node): { text: string; whole: boolean } {
  const code = plainCode(node)
  if (code !== undefined) return { text: String.fromCodePoint(code), whole: true }
  if (node.kind === 'capture' || node.kind === 'atomic') return leadingTextOf(node.body)
  return node.kind === 'concat' ? leadingText(node.items) : { text: '', whole: false }
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
