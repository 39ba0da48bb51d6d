/**
 * The parser: .NET's syntax as dlclark/regexp2 v1.2.0 reads it with its RE2 option. It runs twice over a pattern, first
 * to number the capture groups, because `\12` is a reference or an octal escape depending on what follows later on.
 * Longer than the rule of thumb because the grammar is one recursive whole; sets, escapes and groups are files apart.
 */
import { CharSet } from './charset.ts'
import { addProperty, addShorthand, parseSet } from './classes.ts'
import { scanCharacterEscape } from './escapes.ts'
import { GroupCollector, type Groups } from './groups.ts'
import { isDigit, Scanner } from './scanner.ts'
import { alternate, concat, EMPTY, repeat, type AssertionKind, type Node } from './syntax.ts'
import { isWord, toLower } from './unicode.ts'

const IGNORE_CASE = 1
const MULTILINE = 2
const EXPLICIT_CAPTURE = 4
const SINGLE_LINE = 8
const EXTENDED = 16

/** The letters of `(?imnsx-imnsx)`; `d` is accepted and does nothing. */
const OPTIONS = new Map([
  ['i', IGNORE_CASE],
  ['m', MULTILINE],
  ['n', EXPLICIT_CAPTURE],
  ['s', SINGLE_LINE],
  ['x', EXTENDED],
  ['d', 0],
])

const ASSERTION_ESCAPES = new Map<string, AssertionKind>([
  ['A', 'begin'],
  ['b', 'boundary'],
  ['B', 'notBoundary'],
  ['G', 'start'],
  ['z', 'end'],
  ['Z', 'endBeforeNewline'],
])

const SPECIAL = '\\*+?{|()[^$.'
const BLANK = '\t\n\v\f\r '

const MAX_SOURCE_LENGTH = 32_768
const MAX_REPETITIONS = 100_000
const MAX_DEPTH = 200

export interface ParsedPattern {
  readonly root: Node
  readonly groups: Groups
}

/** @throws RegexpSyntaxError */
export function parsePattern(source: string): ParsedPattern {
  const scanner = new Scanner(source)
  if (source.length > MAX_SOURCE_LENGTH) scanner.fail(`a pattern of more than ${MAX_SOURCE_LENGTH} characters`)
  const collector = new GroupCollector()
  new Parser(scanner, collector, undefined).parse()
  const groups = collector.finish()
  return { root: new Parser(new Scanner(source), undefined, groups).parse(), groups }
}

class Parser {
  readonly #scanner: Scanner
  /** Set in the first pass. */
  readonly #collector: GroupCollector | undefined
  /** Known in the second pass; the first one takes every reference on trust. */
  readonly #groups: Groups | undefined
  #options = 0
  #depth = 0
  #unnamed = 0
  #skipCapture = false
  /** Directly inside `(?(...)...)`, where inline options are refused. */
  #inConditional = false

  constructor(scanner: Scanner, collector: GroupCollector | undefined, groups: Groups | undefined) {
    this.#scanner = scanner
    this.#collector = collector
    this.#groups = groups
  }

  parse(): Node {
    const root = alternate(this.#branches())
    if (this.#scanner.left > 0) this.#scanner.fail('unexpected )')
    return root
  }

  #has(option: number): boolean {
    return (this.#options & option) !== 0
  }

  /** Alternatives up to the closing parenthesis or the end. */
  #branches(): Node[] {
    if (++this.#depth > MAX_DEPTH) this.#scanner.fail('groups nested too deeply')
    const branches: Node[] = []
    do branches.push(this.#sequence())
    while (this.#scanner.take('|'))
    this.#depth--
    return branches
  }

  #sequence(): Node {
    const items: Node[] = []
    for (;;) {
      this.#skipBlank()
      if (this.#scanner.left === 0 || this.#scanner.at('|') || this.#scanner.at(')')) return concat(items)
      if (this.#atQuantifier()) this.#scanner.fail('missing argument to repetition operator')
      const atom = this.#atom()
      if (atom === undefined) continue
      this.#skipBlank()
      if (this.#atQuantifier()) {
        items.push(this.#quantify(atom))
        this.#skipBlank()
        if (this.#atQuantifier()) this.#scanner.fail('invalid nested repetition operator')
      } else {
        items.push(atom)
      }
    }
  }

  /** Comments, and white space under `x`. */
  #skipBlank(): void {
    const scanner = this.#scanner
    for (;;) {
      if (this.#has(EXTENDED)) {
        while (scanner.left > 0 && isOneOf(BLANK, scanner.peek())) scanner.next()
        if (scanner.at('#')) {
          while (scanner.left > 0 && !scanner.at('\n')) scanner.next()
          continue
        }
      }
      if (!scanner.at('(?#')) return
      while (!scanner.at(')')) if (scanner.next() === -1) scanner.fail('unterminated comment')
      scanner.next()
    }
  }

  /** A `{` that does not begin `{n}`, `{n,}` or `{n,m}` is a literal. */
  #atQuantifier(): boolean {
    const scanner = this.#scanner
    if (!scanner.at('{')) return scanner.at('*') || scanner.at('+') || scanner.at('?')
    let ahead = 1
    while (isDigit(scanner.peek(ahead))) ahead++
    if (ahead === 1) return false
    if (scanner.at(',', ahead)) {
      ahead++
      while (isDigit(scanner.peek(ahead))) ahead++
    }
    return scanner.at('}', ahead)
  }

  #quantify(body: Node): Node {
    const scanner = this.#scanner
    let min = 0
    let max = Infinity
    if (scanner.take('+')) min = 1
    else if (scanner.take('?')) max = 1
    else if (!scanner.take('*')) {
      scanner.next()
      min = max = scanner.decimal()
      if (scanner.take(',')) max = scanner.at('}') ? Infinity : scanner.decimal()
      scanner.next()
    }
    if (min > max) scanner.fail('invalid repeat count')
    if (min > MAX_REPETITIONS || (max !== Infinity && max > MAX_REPETITIONS)) {
      scanner.fail(`a repeat count of more than ${MAX_REPETITIONS}`)
    }
    this.#skipBlank()
    return repeat(body, min, max, scanner.take('?'))
  }

  /** One quantifiable unit; undefined for an inline option. */
  #atom(): Node | undefined {
    const scanner = this.#scanner
    const code = scanner.next()
    if (!isOneOf(SPECIAL, code)) return this.#char(code)
    switch (String.fromCodePoint(code)) {
      case '[':
        return this.#set(parseSet(scanner, this.#has(IGNORE_CASE)))
      case '(':
        return this.#group()
      case '\\':
        return this.#escape()
      case '^':
        return { kind: 'assertion', at: this.#has(MULTILINE) ? 'beginLine' : 'begin' }
      case '$':
        return { kind: 'assertion', at: this.#has(MULTILINE) ? 'endLine' : 'endBeforeNewline' }
      case '.': {
        const set = new CharSet()
        set.negated = true
        if (!this.#has(SINGLE_LINE)) set.addRange(0x0a, 0x0a)
        return { kind: 'set', set, ignoreCase: false }
      }
      default:
        return this.#char(code)
    }
  }

  #char(code: number): Node {
    const ignoreCase = this.#has(IGNORE_CASE)
    return { kind: 'char', code: ignoreCase ? toLower(code) : code, ignoreCase }
  }

  #set(set: CharSet): Node {
    return { kind: 'set', set, ignoreCase: this.#has(IGNORE_CASE) }
  }

  #escape(): Node {
    const scanner = this.#scanner
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
        addProperty(set, scanner, letter === 'P', this.#has(IGNORE_CASE))
      }
      return this.#set(set)
    }
    const start = scanner.position
    const slot = this.#reference()
    if (slot !== undefined) return { kind: 'reference', slot, ignoreCase: this.#has(IGNORE_CASE) }
    scanner.position = start
    return this.#char(scanCharacterEscape(scanner))
  }

  /** `\1`, `\k<name>`, `\k'name'` and the old `\<name>`; undefined when it is none of them after all. */
  #reference(): number | undefined {
    const scanner = this.#scanner
    const keyed = scanner.take('k')
    const close = scanner.at('<') ? '>' : scanner.at("'") ? "'" : undefined
    if (close === undefined) {
      if (keyed) scanner.fail('malformed \\k<...> named back reference')
      if (!isDigit(scanner.peek()) || scanner.at('0')) return undefined
      const number = scanner.decimal()
      if (this.#knows(number)) return number
      // \10 and up may still be octal.
      return number > 9 ? undefined : scanner.fail(`reference to undefined group number ${number}`)
    }
    scanner.next()
    if (keyed && scanner.left === 0) scanner.fail('malformed \\k<...> named back reference')
    if (isDigit(scanner.peek())) {
      const number = scanner.decimal()
      if (!scanner.take(close)) return undefined
      return this.#knows(number) ? number : scanner.fail(`reference to undefined group number ${number}`)
    }
    const name = scanner.word()
    if (name === '' || !scanner.take(close)) return undefined
    return this.#named(name) ?? scanner.fail(`reference to undefined group name ${name}`)
  }

  #knows(slot: number): boolean {
    return this.#groups === undefined || this.#groups.slots.includes(slot)
  }

  #named(name: string): number | undefined {
    return this.#groups === undefined ? 0 : this.#groups.names.get(name)
  }

  /** Behind `(`. */
  #group(): Node | undefined {
    const outerOptions = this.#options
    const outerConditional = this.#inConditional
    const node = this.#openGroup()
    this.#inConditional = outerConditional
    // An inline option holds to the end of the group around it.
    if (node !== undefined) this.#options = outerOptions
    return node
  }

  #openGroup(): Node | undefined {
    const scanner = this.#scanner
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
      this.#collector?.addName(name)
      return { kind: 'capture', slot: this.#named(name), balances: undefined, body: this.#body() }
    }
    if (scanner.at('(')) return this.#conditional()
    return this.#optionGroup()
  }

  #plainGroup(): Node {
    if (this.#has(EXPLICIT_CAPTURE)) {
      this.#skipCapture = false
      return this.#body()
    }
    this.#collector?.addUnnamed()
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
    if (!this.#scanner.take(')')) this.#scanner.fail('missing closing )')
    return branches
  }

  /** `(?imsx-imsx)` and `(?imsx-imsx:...)`. */
  #optionGroup(): Node | undefined {
    const scanner = this.#scanner
    let off = false
    while (!this.#inConditional) {
      if (scanner.take('-')) off = true
      else if (scanner.take('+')) off = false
      else {
        const code = scanner.peek()
        const option = code === -1 ? undefined : OPTIONS.get(String.fromCodePoint(code).toLowerCase())
        if (option === undefined) break
        scanner.next()
        this.#options = off ? this.#options & ~option : this.#options | option
      }
    }
    if (scanner.take(')')) return undefined
    if (!scanner.take(':')) scanner.fail('unrecognized grouping construct')
    return this.#body()
  }

  /** `(?<name>...)`, `(?<7>...)` and the balancing `(?<name-other>...)`, `(?<-other>...)`, behind the bracket. */
  #namedGroup(close: string): Node {
    const scanner = this.#scanner
    let slot: number | undefined
    if (!scanner.at('-')) slot = this.#groupName()
    const balances = scanner.take('-') ? this.#balancedGroup() : undefined
    if (!scanner.take(close)) scanner.fail('invalid group name')
    return { kind: 'capture', slot, balances, body: this.#body() }
  }

  #groupName(): number {
    const scanner = this.#scanner
    const first = scanner.peek()
    if (isDigit(first)) {
      const number = scanner.decimal()
      if (number === 0) scanner.fail('capture number cannot be zero')
      if (first !== 0x30) this.#collector?.addNumber(number)
      if (!this.#knows(number)) scanner.fail('unrecognized grouping construct')
      return number
    }
    const name = scanner.word()
    if (name === '') scanner.fail('invalid group name: it begins with a word character')
    this.#collector?.addName(name)
    return this.#named(name) ?? scanner.fail('unrecognized grouping construct')
  }

  #balancedGroup(): number {
    const scanner = this.#scanner
    if (isDigit(scanner.peek())) {
      const number = scanner.decimal()
      return this.#knows(number) ? number : scanner.fail(`reference to undefined group number ${number}`)
    }
    const name = scanner.word()
    if (name === '') scanner.fail('invalid group name: it begins with a word character')
    return this.#named(name) ?? scanner.fail(`reference to undefined group name ${name}`)
  }

  /** `(?(1)yes|no)`, `(?(name)yes|no)` and `(?(looking)yes|no)`, at the second parenthesis. */
  #conditional(): Node {
    const scanner = this.#scanner
    const start = scanner.position
    scanner.next()
    let slot: number | undefined
    if (isDigit(scanner.peek())) {
      slot = scanner.decimal()
      if (!scanner.take(')')) scanner.fail(`(?(${slot}) ) malformed`)
      if (!this.#knows(slot)) scanner.fail(`(?(${slot}) ) reference to undefined group`)
    } else if (isWord(Math.max(scanner.peek(), 0)) && this.#groups !== undefined) {
      slot = this.#groups.names.get(scanner.word())
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
    const scanner = this.#scanner
    if (scanner.at('(?#')) scanner.fail('alternation conditions cannot be comments')
    if (scanner.at("(?'") || (scanner.at('(?<') && !scanner.at('!', 3) && !scanner.at('=', 3))) {
      scanner.fail('alternation conditions do not capture and cannot be named')
    }
    scanner.next()
    if (!scanner.at('?')) {
      const options = this.#options
      const body = this.#body()
      this.#options = options
      return body
    }
    // The reference skips the next plain group wherever it is when the condition itself is not one; group numbers
    // have to come out as there.
    this.#skipCapture = true
    this.#inConditional = true
    return this.#group() ?? scanner.fail('illegal conditional (?(...)) expression')
  }
}

function isOneOf(characters: string, code: number): boolean {
  return code >= 0 && code < 128 && characters.includes(String.fromCharCode(code))
}
