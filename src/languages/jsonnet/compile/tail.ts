import type { TailCode } from '../runtime/code.ts'
import type { Node } from '../syntax/ast.ts'
import { compileTailCall } from './calls.ts'
import { compile, compileBlock } from './compile.ts'
import type { Place } from './place.ts'

/** Compiles an expression whose value is that of the function it stands in. */
export function compileTail(node: Node, place: Place): TailCode {
  if (node.kind === 'if' || node.kind === 'local' || node.kind === 'assert') {
    return compileBlock(node, place, (inner, one) => inner.tail(one))
  }
  return node.kind === 'call' && node.tailstrict ? compileTailCall(node, place) : compile(node, place)
}
