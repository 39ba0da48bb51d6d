import { literalAt, plainCode } from './compiler.ts'
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
