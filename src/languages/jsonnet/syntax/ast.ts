export type Visibility = 'inherit' | 'hidden' | 'visible'

export type BinaryOperator =
  | '*'
  | '/'
  | '%'
  | '+'
  | '-'
  | '<<'
  | '>>'
  | '<'
  | '>'
  | '<='
  | '>='
  | 'in'
  | '=='
  | '!='
  | '&'
  | '^'
  | '|'
  | '&&'
  | '||'

export type UnaryOperator = '!' | '~' | '-' | '+'

export interface Bind {
  readonly name: string
  readonly at: number
  readonly value: Node
}

export interface Parameter {
  readonly name: string
  readonly at: number
  readonly fallback: Node | undefined
}

export interface Argument {
  /** Undefined for a positional argument. */
  readonly name: string | undefined
  readonly value: Node
}

export interface FieldNode {
  readonly at: number
  readonly name: Node
  readonly visibility: Visibility
  /** `+:`, which adds to the field of the object on the left. */
  readonly plus: boolean
  readonly value: Node
}

export interface AssertNode {
  readonly at: number
  readonly condition: Node
  readonly message: Node | undefined
}

/** `for name in list`, or `if condition`. */
export type Clause =
  | { readonly kind: 'for'; readonly at: number; readonly name: string; readonly list: Node }
  | { readonly kind: 'if'; readonly at: number; readonly condition: Node }

export interface ObjectNode {
  readonly kind: 'object'
  readonly at: number
  readonly fields: readonly FieldNode[]
  readonly locals: readonly Bind[]
  readonly asserts: readonly AssertNode[]
}

/** An expression; `at` is the offset that errors point to. */
export type Node =
  | { readonly kind: 'literal'; readonly at: number; readonly value: null | boolean | number | string }
  | { readonly kind: 'variable'; readonly at: number; readonly name: string }
  | { readonly kind: 'self'; readonly at: number }
  | { readonly kind: 'super'; readonly at: number; readonly index: Node }
  | { readonly kind: 'in_super'; readonly at: number; readonly name: Node }
  | { readonly kind: 'array'; readonly at: number; readonly items: readonly Node[] }
  | { readonly kind: 'array_comprehension'; readonly at: number; readonly item: Node; readonly clauses: Clause[] }
  | ObjectNode
  | {
      readonly kind: 'object_comprehension'
      readonly at: number
      readonly field: FieldNode
      readonly locals: readonly Bind[]
      readonly clauses: Clause[]
    }
  | {
      readonly kind: 'binary'
      readonly at: number
      readonly operator: BinaryOperator
      readonly left: Node
      readonly right: Node
    }
  | { readonly kind: 'unary'; readonly at: number; readonly operator: UnaryOperator; readonly operand: Node }
  | {
      readonly kind: 'if'
      readonly at: number
      readonly condition: Node
      readonly consequent: Node
      readonly alternative: Node | undefined
    }
  | { readonly kind: 'local'; readonly at: number; readonly binds: readonly Bind[]; readonly body: Node }
  | FunctionNode
  | {
      readonly kind: 'call'
      readonly at: number
      readonly target: Node
      readonly args: readonly Argument[]
      readonly tailstrict: boolean
    }
  | { readonly kind: 'index'; readonly at: number; readonly target: Node; readonly index: Node }
  | {
      readonly kind: 'slice'
      readonly at: number
      readonly target: Node
      readonly from: Node | undefined
      readonly to: Node | undefined
      readonly step: Node | undefined
    }
  | { readonly kind: 'error'; readonly at: number; readonly message: Node }
  | { readonly kind: 'assert'; readonly at: number; readonly assert: AssertNode; readonly rest: Node }
  | { readonly kind: 'import'; readonly at: number; readonly as: ImportKind; readonly path: string }

export type ImportKind = 'import' | 'importstr' | 'importbin'

export interface FunctionNode {
  readonly kind: 'function'
  readonly at: number
  readonly params: readonly Parameter[]
  readonly body: Node
}
