/**
 * The parser: .NET's syntax as dlclark/regexp2 v1.2.0 reads it with its RE2 option. It runs twice over a pattern, first
 * to number the capture groups, because `\12` is a reference or an octal escape depending on what follows later on.
 * Longer than the rule of thumb because the grammar is one recursive whole; sets, escapes and groups are files apart.
 */
import { CharSet } from './charset.ts'
import { addProperty, addShorthand, parseSet } from './classes.ts'
import { scanCharacterEscape } from './escapes.ts'
import { GroupCollector, type Groups } from './groups.ts'
import { EXPLICIT_CAPTURE, IGNORE_CASE, isOneOf, MULTILINE, PatternReader, SINGLE_LINE } from './reader.ts'
import { isDigit } from './scanner.ts'
import { alternate, concat, EMPTY, repeat, type AssertionKind, type Node } from './syntax.ts'
import { isWord, toLower } from './unicode.ts'

const ASSERTION_ESCAPES = new Map<string, AssertionKind>([
  ['A', 'begin'],
  ['b', 'boundary'],
  ['B', 'notBoundary'],
  ['G', 'start'],
  ['z', 'end'],
  ['Z', 'endBeforeNewline'],
])

const SPECIAL = '\\*+?{|()[^$.'
const MAX_SOURCE_LENGTH = 32_768
const MAX_DEPTH = 200

export interface ParsedPattern {
  readonly root: Node
  readonly groups: Groups
}

/** @throws RegexpSyntaxError */
export function parsePattern(source: string): ParsedPattern {
  const collector = new GroupCollector()
  const first = new PatternReader(source, collector, undefined)
  if (source.length > MAX_SOURCE_LENGTH) first.scanner.fail(`a pattern of more than ${MAX_SOURCE_LENGTH} characters`)
  new Parser(first).parse()
  const groups = collector.finish()
  return { root: new Parser(new PatternReader(source, undefined, groups)).parse(), groups }
}

class Parser {
  readonly #reader: PatternReader
  #depth = 0
  #unnamed = 0
  #skipCapture = false
  /** Directly inside `(?(...)...)`, where inline options are refused. */
  #inConditional = false

  constructor(reader: PatternReader) {
    this.#reader = reader
  }

  parse(): Node {
    const root = alternate(this.#branches())
    if (this.#reader.scanner.left > 0) this.#reader.scanner.fail('unexpected )')
    return root
  }

  /** Alternatives up to the closing parenthesis or the end. */
  #branches(): Node[] {
    if (++this.#depth > MAX_DEPTH) this.#reader.scanner.fail('groups nested too deeply')
    const branches: Node[] = []
    do branches.push(this.#sequence())
    while (this.#reader.scanner.take('|'))
    this.#depth--
    return branches
  }

  #sequence(): Node {
    const items: Node[] = []
    for (;;) {
      this.#reader.skipBlank()
      if (this.#reader.scanner.left === 0 || this.#reader.scanner.at('|') || this.#reader.scanner.at(')'))
        return concat(items)
      if (this.#reader.atQuantifier()) this.#reader.scanner.fail('missing argument to repetition operator')
      const atom = this.#atom()
      if (atom === undefined) continue
      this.#reader.skipBlank()
      if (this.#reader.atQuantifier()) {
        const { min, max, lazy } = this.#reader.quantifier()
        items.push(repeat(atom, min, max, lazy))
        this.#reader.skipBlank()
        if (this.#reader.atQuantifier()) this.#reader.scanner.fail('invalid nested repetition operator')
      } else {
        items.push(atom)
      }
    }
  }

  /** One quantifiable unit; undefined for an inline option. */
  #atom(): Node | undefined {
    const scanner = this.#reader.scanner
    const code = scanner.next()
    if (!isOneOf(SPECIAL, code)) return this.#char(code)
    switch (String.fromCodePoint(code)) {
      case '[':
        return this.#set(parseSet(scanner, this.#reader.has(IGNORE_CASE)))
      case '(':
        return this.#group()
      case '\\':
        return this.#escape()
      case '^':
        return { kind: 'assertion', at: this.#reader.has(MULTILINE) ? 'beginLine' : 'begin' }
      case '$':
        return { kind: 'assertion', at: this.#reader.has(MULTILINE) ? 'endLine' : 'endBeforeNewline' }
      case '.': {
        const set = new CharSet()
        set.negated = true
        if (!this.#reader.has(SINGLE_LINE)) set.addRange(0x0a, 0x0a)
        return { kind: 'set', set, ignoreCase: false }
      }
      default:
        return this.#char(code)
    }
  }

  #char(code: number): Node {
    const ignoreCase = this.#reader.has(IGNORE_CASE)
    return { kind: 'char', code: ignoreCase ? toLower(code) : code, ignoreCase }
  }

  #set(set: CharSet): Node {
    return { kind: 'set', set, ignoreCase: this.#reader.has(IGNORE_CASE) }
  }

  #escape(): Node {
    const scanner = this.#reader.scanner
    if (scanner.left === 0) scanner.fail('a \\ at the end')
    const letter = String.fromCodePoint(scanner.peek())
    const assertion = ASSERTION_ESCAPES.get(letter)
    if (assertion !== undefined) {
      scanner.next()
      return { kind: 'assertion', at: assertion }
    }
    if ('dDsSwWpP'.includes(letter)) {
      scanner.next()
      const set = new CharSet()
      // On their own these two negate the set, not the class in it; see CharSet.has for the difference.
      set.negated = letter === 'W' || letter === 'S'
      if (!addShorthand(set, set.negated ? letter.toLowerCase() : letter)) {
        addProperty(set, scanner, letter === 'P', this.#reader.has(IGNORE_CASE))
      }
      return this.#set(set)
    }
    const start = scanner.position
    const slot = this.#reader.reference()
    if (slot !== undefined) return { kind: 'reference', slot, ignoreCase: this.#reader.has(IGNORE_CASE) }
    scanner.position = start
    return this.#char(scanCharacterEscape(scanner))
  }

  /** Behind `(`. */
  #group(): Node | undefined {
    const outerOptions = this.#reader.options
    const outerConditional = this.#inConditional
    const node = this.#openGroup()
    this.#inConditional = outerConditional
    // An inline option holds to the end of the group around it.
    if (node !== undefined) this.#reader.options = outerOptions
    return node
  }

  #openGroup(): Node | undefined {
    const scanner = this.#reader.scanner
    if (!scanner.at('?') || scanner.at('?)')) return this.#plainGroup()
    scanner.next()
    if (scanner.take(':')) return this.#body()
    if (scanner.take('=')) return { kind: 'look', behind: false, negative: false, body: this.#body() }
    if (scanner.take('!')) return { kind: 'look', behind: false, negative: true, body: this.#body() }
    if (scanner.take('>')) return { kind: 'atomic', body: this.#body() }
    if (scanner.take('<=')) return { kind: 'look', behind: true, negative: false, body: this.#body() }
    if (scanner.take('<!')) return { kind: 'look', behind: true, negative: true, body: this.#body() }
    if (scanner.take('<')) return this.#namedGroup('>')
    if (scanner.take("'")) return this.#namedGroup("'")
    if (scanner.take('P<')) {
      const name = scanner.word()
      if (name === '' || !scanner.take('>')) scanner.fail('invalid group name')
      this.#reader.collector?.addName(name)
      return { kind: 'capture', slot: this.#reader.named(name), balances: undefined, body: this.#body() }
    }
    if (scanner.at('(')) return this.#conditional()
    return this.#optionGroup()
  }

  #plainGroup(): Node {
    if (this.#reader.has(EXPLICIT_CAPTURE)) {
      this.#skipCapture = false
      return this.#body()
    }
    this.#reader.collector?.addUnnamed()
    if (this.#skipCapture) {
      this.#skipCapture = false
      return this.#body()
    }
    const slot = ++this.#unnamed
    return { kind: 'capture', slot, balances: undefined, body: this.#body() }
  }

  /** The content up to and with the closing parenthesis. */
  #body(): Node {
    this.#inConditional = false
    return alternate(this.#closed())
  }

  #closed(): Node[] {
    const branches = this.#branches()
    if (!this.#reader.scanner.take(')')) this.#reader.scanner.fail('missing closing )')
    return branches
  }

  /** `(?imsx-imsx)` and `(?imsx-imsx:...)`. */
  #optionGroup(): Node | undefined {
    const scanner = this.#reader.scanner
    if (!this.#inConditional) this.#reader.takeOptions()
    if (scanner.take(')')) return undefined
    if (!scanner.take(':')) scanner.fail('unrecognized grouping construct')
    return this.#body()
  }

  /** `(?<name>...)`, `(?<7>...)` and the balancing `(?<name-other>...)`, `(?<-other>...)`, behind the bracket. */
  #namedGroup(close: string): Node {
    const scanner = this.#reader.scanner
    let slot: number | undefined
    if (!scanner.at('-')) slot = this.#reader.groupName()
    const balances = scanner.take('-') ? this.#reader.balancedGroup() : undefined
    if (!scanner.take(close)) scanner.fail('invalid group name')
    return { kind: 'capture', slot, balances, body: this.#body() }
  }

  /** `(?(1)yes|no)`, `(?(name)yes|no)` and `(?(looking)yes|no)`, at the second parenthesis. */
  #conditional(): Node {
    const scanner = this.#reader.scanner
    const start = scanner.position
    scanner.next()
    let slot: number | undefined
    if (isDigit(scanner.peek())) {
      slot = scanner.decimal()
      if (!scanner.take(')')) scanner.fail(`(?(${slot}) ) malformed`)
      if (!this.#reader.knows(slot)) scanner.fail(`(?(${slot}) ) reference to undefined group`)
    } else if (isWord(Math.max(scanner.peek(), 0)) && this.#reader.groups !== undefined) {
      slot = this.#reader.groups.names.get(scanner.word())
      if (!scanner.take(')')) slot = undefined
    }
    if (slot !== undefined) {
      const [yes = EMPTY, no = EMPTY, ...more] = this.#conditionalBranches(false)
      if (more.length > 0) scanner.fail('too many | in (?()|)')
      return { kind: 'ifMatched', slot, yes, no }
    }
    scanner.position = start
    const condition = this.#condition()
    const [yes = EMPTY, no = EMPTY, ...more] = this.#conditionalBranches(true)
    if (more.length > 0) scanner.fail('too many | in (?()|)')
    return { kind: 'ifLooking', condition, yes, no }
  }

  #conditionalBranches(refuseOptions: boolean): Node[] {
    this.#inConditional = refuseOptions
    return this.#closed()
  }

  /** The parenthesized condition, which captures nothing itself. */
  #condition(): Node {
    const scanner = this.#reader.scanner
    if (scanner.at('(?#')) scanner.fail('alternation conditions cannot be comments')
    if (scanner.at("(?'") || (scanner.at('(?<') && !scanner.at('!', 3) && !scanner.at('=', 3))) {
      scanner.fail('alternation conditions do not capture and cannot be named')
    }
    scanner.next()
    if (!scanner.at('?')) {
      const options = this.#reader.options
      const body = this.#body()
      this.#reader.options = options
      return body
    }
    // The reference skips the next plain group wherever it is when the condition itself is not one; group numbers
    // have to come out as there.
    this.#skipCapture = true
    this.#inConditional = true
    return this.#group() ?? scanner.fail('illegal conditional (?(...)) expression')
  }
}
