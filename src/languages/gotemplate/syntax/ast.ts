/** Where a node stands in the source: offsets in UTF-16 code units, end exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A number as written; which Go type it becomes depends on the parameter that takes it. */
export interface NumberLiteral {
  /** Set when it can be an integer. */
  readonly int: bigint | undefined
  readonly float: number
  /** What it is where no type is asked for. */
  readonly preferred: 'int' | 'float64'
}

export type Operand = Span &
  (
    | { readonly kind: 'dot' }
    | { readonly kind: 'nil' }
    | { readonly kind: 'bool'; readonly value: boolean }
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly value: NumberLiteral }
    | { readonly kind: 'field'; readonly fields: readonly string[] }
    | {
        readonly kind: 'variable'
        readonly name: string
        readonly slot: number
        readonly fields: readonly string[]
      }
    | { readonly kind: 'function'; readonly name: string }
    | { readonly kind: 'chain'; readonly of: Operand; readonly fields: readonly string[] }
    | { readonly kind: 'pipe'; readonly pipe: Pipe }
  )

/** `operand argument…`; the first operand may be a function, a field or a variable that takes the others. */
export interface Command extends Span {
  readonly operand: Operand
  readonly args: readonly Operand[]
}

export interface Pipe extends Span {
  /** Slots of the variables that the pipeline declares or assigns. */
  readonly slots: readonly number[]
  readonly assigns: boolean
  readonly commands: readonly Command[]
}

export interface Block {
  readonly body: readonly Node[]
  readonly orElse: readonly Node[] | undefined
}

/** A node with a body that depends on a pipeline's value. */
export interface Control extends Span, Block {
  readonly kind: 'if' | 'with' | 'range'
  readonly pipe: Pipe
}

export type Node = Span &
  (
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'action'; readonly pipe: Pipe }
    | Control
    | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined }
    | { readonly kind: 'break' }
    | { readonly kind: 'continue' }
  )

/** One named template. Slot 0 of its variables is `$`. */
export interface Tree {
  readonly name: string
  readonly body: readonly Node[]
  readonly slots: number
  /** How deep its nodes and parentheses nest: bounds the stack that rendering it takes. */
  readonly nesting: number
}

/** A parsed source: the main template under the empty name, and what it defines. */
export type Trees = ReadonlyMap<string, Tree>
