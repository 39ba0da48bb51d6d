import type { Command, Operand, Pipe } from './ast.ts'
import type { Token, TokenKind } from './lexer.ts'
import { parseCharacter, parseNumber } from './literals.ts'
import { TokenReader } from './tokens.ts'

/** Parses what stands inside one action. */
export class PipelineParser extends TokenReader {
  /** Parses a pipeline up to and with its closing token. */
  protected pipe(context: string, end: TokenKind): Pipe {
    const start = this.peekNonSpace().start
    const before = this.scope.deepest
    this.scope.deepest = this.scope.depth
    const { names, assigns } = this.#declarations(context)
    const slots = names.map(({ text, start: at }) => {
      if (!assigns) return this.scope.reserve()
      return this.scope.find(text) ?? this.fail(`undefined variable ${JSON.stringify(text)}`, at)
    })
    const commands: Command[] = []
    let pipeEnd = start
    for (;;) {
      const token = this.peekNonSpace()
      if (token.kind === end) break
      const command = this.#command(context, end)
      if (commands.length > 0 && ['bool', 'dot', 'nil', 'number', 'string'].includes(command.operand.kind)) {
        this.fail(`non executable command in pipeline stage ${commands.length + 1}`, command.start)
      }
      commands.push(command)
      pipeEnd = command.end
      if (this.peek().kind === '|') this.next()
    }
    if (commands.length === 0) this.fail(`missing value for ${context}`, start)
    this.next()
    // a command is evaluated inside of the one behind it
    this.noteDepth(this.scope.deepest + commands.length - 1, start)
    this.scope.deepest = Math.max(this.scope.deepest, before)
    if (!assigns) for (const [index, name] of names.entries()) this.scope.declare(name.text, slots[index] as number)
    return { slots, assigns, commands, start, end: pipeEnd }
  }

  /** Reads `$x :=`, `$x =` or, in a range, `$i, $x :=`. */
  #declarations(context: string): { names: Token[]; assigns: boolean } {
    const names: Token[] = []
    for (;;) {
      const variable = this.peekNonSpace()
      if (variable.kind !== 'variable') break
      this.next()
      const space = this.peek().kind === 'space' ? this.next() : undefined
      const operator = this.peek()
      if (operator.kind === '=' || operator.kind === ':=') {
        this.next()
        names.push(variable)
        return { names, assigns: operator.kind === '=' }
      }
      if (operator.kind !== ',') {
        if (names.length > 0) this.fail('range can only initialize variables', operator.start)
        this.unread(space === undefined ? [variable] : [variable, space])
        return { names, assigns: false }
      }
      this.next()
      names.push(variable)
      if (context !== 'range' || names.length > 1) this.fail(`too many declarations in ${context}`, variable.start)
    }
    if (names.length > 0) this.fail('range can only initialize variables', this.peek().start)
    return { names, assigns: false }
  }

  #command(context: string, end: TokenKind): Command {
    const operand = this.#operand()
    if (operand === undefined) return this.unexpected(this.next(), context)
    const args: Operand[] = []
    for (;;) {
      const token = this.peek()
      if (token.kind === 'space') this.next()
      else if (token.kind === end || token.kind === '|') break
      else this.unexpected(this.next(), 'operand')
      const arg = this.#operand()
      if (arg === undefined) {
        if (this.peek().kind !== '|' && this.peek().kind !== end) this.unexpected(this.next(), 'operand')
        break
      }
      args.push(arg)
    }
    const last = args.at(-1) ?? operand
    return { operand, args, start: operand.start, end: last.end }
  }

  /** A term with the fields behind it; undefined when none starts here. */
  #operand(): Operand | undefined {
    const term = this.#term()
    if (term === undefined || this.peek().kind !== 'field') return term
    const fields: string[] = []
    while (this.peek().kind === 'field') fields.push(this.next().text.slice(1))
    const { start } = term
    const end = this.lastEnd
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { ...term, fields: [...term.fields, ...fields], end }
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.fail('unexpected . after a constant', term.end)
      case 'chain':
      case 'function':
      case 'pipe':
      default:
        return { kind: 'chain', of: term, fields, start, end }
    }
  }

  #term(): Operand | undefined {
    const token = this.peekNonSpace()
    const { start, end } = token
    switch (token.kind) {
      case 'dot':
        this.next()
        return { kind: 'dot', start, end }
      case 'field':
        this.next()
        return { kind: 'field', fields: [token.text.slice(1)], start, end }
      case 'variable': {
        this.next()
        const slot = this.scope.find(token.text)
        if (slot === undefined) this.fail(`undefined variable ${JSON.stringify(token.text)}`, start)
        return { kind: 'variable', name: token.text, slot, fields: [], start, end }
      }
      case 'word':
        this.next()
        return this.#word(token)
      case 'string':
        this.next()
        return { kind: 'string', value: this.unquote(token), start, end }
      case 'number':
      case 'char': {
        this.next()
        const value = token.kind === 'char' ? parseCharacter(token.text) : parseNumber(token.text)
        if (value === undefined) this.fail(`bad number syntax: ${JSON.stringify(token.text)}`, start)
        return { kind: 'number', value, start, end }
      }
      case '(': {
        this.next()
        const pipe = this.enter(start, () => this.pipe('parenthesized pipeline', ')'))
        return { kind: 'pipe', pipe, start, end: this.lastEnd }
      }
      case ')':
      case ',':
      case ':=':
      case '=':
      case '|':
      case 'open':
      case 'close':
      case 'space':
      case 'text':
      case 'end of input':
      default:
        return undefined
    }
  }

  #word({ text, start, end }: Token): Operand {
    if (text === 'true' || text === 'false') return { kind: 'bool', value: text === 'true', start, end }
    if (text === 'nil') return { kind: 'nil', start, end }
    const refusal = this.settings.refuse(text)
    if (refusal !== undefined) this.fail(refusal, start)
    return { kind: 'function', name: text, start, end }
  }
}
