import type { Block, Node, Pipe, Tree, Trees } from './ast.ts'
import { PipelineParser } from './pipeline.ts'
import { isBlank, Scope } from './scope.ts'
import type { ParseSettings } from './tokens.ts'

const keywords = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with'])

/** How a list of nodes ended: at `end`, at a plain `else`, or at `else if` / `else with`. */
type Ending = 'end' | 'else' | 'else if' | 'else with'

/**
 * Parses a template source into its main template (under the empty name) and the templates that it defines.
 * @throws TemplateSyntaxError
 */
export function parse(source: string, settings: ParseSettings): Trees {
  const parser = new TemplateParser(source, settings)
  parser.main()
  return parser.trees
}

class TemplateParser extends PipelineParser {
  readonly trees = new Map<string, Tree>()
  #rangeDepth = 0

  main(): void {
    const scope = new Scope()
    this.scope = scope
    const body: Node[] = []
    while (this.peek().kind !== 'end of input') {
      if (this.peek().kind === 'open' && this.keywordAhead() === 'define') {
        this.#define()
        continue
      }
      const node = this.#node()
      if (typeof node === 'string') this.fail(`unexpected {{${node}}}: there is no block to close`)
      body.push(node)
    }
    this.#add('', body, scope)
  }

  /** Adds a template; an empty one yields to one with content, as in Go. */
  #add(name: string, body: readonly Node[], scope: Scope): void {
    const earlier = this.trees.get(name)
    if (earlier !== undefined && !isBlank(earlier.body)) {
      if (isBlank(body)) return
      this.fail(`multiple definition of template ${JSON.stringify(name)}`)
    }
    this.trees.set(name, { name, body, slots: scope.slots, nesting: scope.deepest })
  }

  #define(): void {
    const open = this.next()
    this.nextNonSpace()
    const name = this.templateName('define clause')
    this.expectClose('define clause')
    this.#body(name, 'define', open.start)
  }

  /** Parses a separate template up to its `end`: it sees no variables of the text around it. */
  #body(name: string, what: string, start: number): void {
    const outer = { scope: this.scope, rangeDepth: this.#rangeDepth }
    const scope = new Scope()
    this.scope = scope
    this.#rangeDepth = 0
    const { nodes, ending } = this.#list(what, start)
    if (ending !== 'end') this.fail(`unexpected {{else}} in ${what}`)
    this.scope = outer.scope
    this.#rangeDepth = outer.rangeDepth
    this.#add(name, nodes, scope)
  }

  #list(what: string, start: number): { nodes: Node[]; ending: Ending } {
    const nodes: Node[] = []
    while (this.peek().kind !== 'end of input') {
      const node = this.#node()
      if (typeof node === 'string') return { nodes, ending: node }
      nodes.push(node)
    }
    return this.fail(`unexpected EOF: {{${what}}} has no {{end}}`, start)
  }

  #node(): Node | Ending {
    const token = this.next()
    if (token.kind === 'text') return { kind: 'text', text: token.text, start: token.start, end: token.end }
    const keyword = this.keywordHere(keywords)
    if (keyword === undefined) {
      const pipe = this.pipe('command', 'close')
      return { kind: 'action', pipe, start: pipe.start, end: pipe.end }
    }
    const start = keyword.start
    switch (keyword.text) {
      case 'end':
        this.expectClose('end')
        return 'end'
      case 'else':
        return this.#else()
      case 'if':
      case 'with':
      case 'range':
        return this.#control(keyword.text, start)
      case 'template': {
        const name = this.templateName('template clause')
        const pipe = this.atClose() ? undefined : this.pipe('template clause', 'close')
        return { kind: 'template', name, pipe, start, end: this.lastEnd }
      }
      case 'block': {
        const name = this.templateName('block clause')
        const pipe = this.pipe('block clause', 'close')
        this.enter(start, () => this.#body(name, 'block', start))
        return { kind: 'template', name, pipe, start, end: pipe.end }
      }
      case 'break':
      case 'continue':
        if (this.#rangeDepth === 0) this.fail(`{{${keyword.text}}} outside {{range}}`, start)
        this.expectClose(keyword.text)
        return { kind: keyword.text, start, end: keyword.end }
      default:
        return this.fail(`unexpected {{${keyword.text}}}: it may stand at the top level only`, start)
    }
  }

  #else(): Ending {
    const next = this.keywordAhead()
    if (next === 'if' || next === 'with') {
      this.nextNonSpace()
      return `else ${next}`
    }
    this.expectClose('else')
    return 'else'
  }

  #control(kind: 'if' | 'with' | 'range', start: number): Node {
    return this.enter(start, () => {
      const mark = this.scope.mark()
      const pipe = this.pipe(kind, 'close')
      const block = this.#block(kind, pipe, start)
      this.scope.release(mark)
      return { kind, pipe, ...block, start, end: pipe.end }
    })
  }

  #block(kind: 'if' | 'with' | 'range', pipe: Pipe, start: number): Block {
    if (kind === 'range') this.#rangeDepth++
    const { nodes: body, ending } = this.#list(kind, start)
    if (kind === 'range') this.#rangeDepth--
    if (ending === 'end') return { body, orElse: undefined }
    if (ending === 'else') {
      const other = this.#list(kind, start)
      if (other.ending !== 'end') this.fail('expected {{end}}; found a second {{else}}')
      return { body, orElse: other.nodes }
    }
    // `else if` is an if inside the else, and its end closes both
    if (ending !== `else ${kind}`) this.fail(`unexpected {{${ending}}} in {{${kind}}}`, pipe.start)
    return { body, orElse: [this.#control(kind, this.lastEnd)] }
  }
}
