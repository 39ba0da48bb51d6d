import type { BinaryOperator } from './ast.ts'

/** From what binds tightest; the numbers only order. */
export const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  '*': 10,
  '/': 10,
  '%': 10,
  '+': 9,
  '-': 9,
  '<<': 8,
  '>>': 8,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  in: 7,
  '==': 6,
  '!=': 6,
  '&': 5,
  '^': 4,
  '|': 3,
  '&&': 2,
  '||': 1,
}
/** Signs bind tighter than any binary operator. */
export const UNARY_PRECEDENCE = 11

/** The operator that a token is; undefined when it is none. */
export function binaryOperator(kind: string, text: string): BinaryOperator | undefined {
  if (kind !== 'operator' && text !== 'in') return undefined
  return Object.hasOwn(PRECEDENCE, text) ? (text as BinaryOperator) : undefined
}
