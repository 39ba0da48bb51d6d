/**
 * Paths as functions. A path's text is taken apart once, each component when a value of the kind it is read for (object
 * or array) first comes by; the outcome is kept. Longer than the rule of thumb because paths, pipes, modifiers and
 * multipaths contain one another.
 */
import type { Budget } from './budget.ts'
import { compileModifier, modifierNames, type Modifier } from './modifiers.ts'
import { arrayComponent, objectComponent, splitAtPipe, type ArrayComponent, type Component } from './path.ts'
import { compileQuery } from './query.ts'
import { parseSelectors, selectorName, type Selector } from './selectors.ts'
import { balanced } from './text.ts'
import { arrayIndex, isArray, isObject, member, parseJson, type JsonObject } from './values.ts'
import { compileWildcard } from './wildcard.ts'

/** Finds what a path leads to from a value; undefined for nothing, in and out. */
type Getter = (value: unknown, budget: Budget) => unknown

/** What a walk has come to: the value, and the path still to be taken from it. A pipe is taken from nothing, too. */
interface Walk {
  value: unknown
  pipe: string | undefined
  readonly budget: Budget
}

/** One component and those after it, tried on a container. @returns whether the search is over */
type ObjectStep = (object: JsonObject, walk: Walk) => boolean
type ArrayStep = (array: readonly unknown[], walk: Walk) => boolean

export class Evaluator {
  readonly #getters = new Map<string, Getter>()
  readonly #objectSteps = new Map<string, ObjectStep>()
  readonly #arraySteps = new Map<string, ArrayStep>()

  get(value: unknown, path: string, budget: Budget): unknown {
    budget.visit()
    return memoized(this.#getters, path, () => this.#compile(path))(value, budget)
  }

  #compile(path: string): Getter {
    if (path.length > 1) {
      const special = path.startsWith('@')
        ? this.#compileModifier(path)
        : path.startsWith('!')
          ? this.#compileLiteral(path)
          : undefined
      if (special !== undefined) return special
      if (path.startsWith('[') || path.startsWith('{')) return this.#compileMultipath(path)
    }
    return this.#compileWalk(path)
  }

  #compileWalk(path: string): Getter {
    // The document is one line of JSON lines.
    if (path.startsWith('..')) {
      const rest = path.slice(2)
      return (value, budget) => this.#walk(value === undefined ? [] : [value], rest, budget)
    }
    return (value, budget) => this.#walk(value, path, budget)
  }

  #walk(value: unknown, path: string, budget: Budget): unknown {
    const walk: Walk = { value: undefined, pipe: undefined, budget }
    this.#descend(value, path, walk)
    return walk.pipe === undefined ? walk.value : this.get(walk.value, walk.pipe, budget)
  }

  #descend(value: unknown, path: string, walk: Walk): boolean {
    if (isArray(value)) return memoized(this.#arraySteps, path, () => this.#arrayStep(path))(value, walk)
    if (isObject(value)) return memoized(this.#objectSteps, path, () => this.#objectStep(path))(value, walk)
    return false
  }

  /** `@name`, `@name:argument`, and what follows. @returns undefined when there is no such modifier */
  #compileModifier(path: string): Getter | undefined {
    const name = /^@([^.|:]*)/.exec(path)?.[1] ?? ''
    if (!modifierNames.has(name)) return undefined
    let rest = path.slice(1 + name.length)
    let argument = ''
    if (rest.startsWith(':')) {
      rest = rest.slice(1)
      argument = modifierArgument(rest)
      rest = rest.slice(argument.length)
    }
    const modify = compileModifier(name, argument) ?? this.#compileDig(argument)
    return this.#andThen(modify, rest)
  }

  /** `@dig:path`: what the path leads to from the value and from everything in it. */
  #compileDig(path: string): Modifier {
    const dig = (value: unknown, found: unknown[], budget: Budget, depth: number): void => {
      budget.checkDepth(depth)
      const result = this.get(value, path, budget)
      if (result !== undefined) found.push(result)
      const inner = isArray(value) ? value : isObject(value) ? Object.values(value) : []
      for (const item of inner) dig(item, found, budget, depth + 1)
    }
    return (value, budget) => {
      const found: unknown[] = []
      dig(value, found, budget, 0)
      return found
    }
  }

  /** `!"text"`, `!{...}`, `!1`, `!true`: a value that does not come from the document. */
  #compileLiteral(path: string): Getter | undefined {
    const text = path.slice(1)
    if (text.startsWith('"')) {
      // What follows a text is ignored, as in the reference.
      const value = parseJson(balanced(text))
      return () => value
    }
    if (/^[{[+\-0-9]/.test(text)) {
      const end = text.startsWith('{') || text.startsWith('[') ? balanced(text).length : text.length
      const value = parseJson(text.slice(0, end))
      return this.#andThen(() => value, text.slice(end))
    }
    const word = /^[^.|]*/.exec(text)?.[0] ?? ''
    if (!/^(true|false|null|nan|inf)$/i.test(word)) return undefined
    const value = parseJson(word)
    return this.#andThen(() => value, text.slice(word.length))
  }

  /** The rest of a path behind a modifier or literal; what does not begin with a separator is ignored. */
  #andThen(first: Modifier, rest: string): Getter {
    if (!rest.startsWith('|') && !rest.startsWith('.')) return first
    const path = rest.slice(1)
    return (value, budget) => this.get(first(value, budget), path, budget)
  }

  /** `{name:path,...}` and `[path,...]`: a new object or array of what is found. */
  #compileMultipath(path: string): Getter {
    const parsed = parseSelectors(path)
    if (parsed === undefined) return this.#compileWalk('')
    const { selectors, rest } = parsed
    if (rest !== '' && !rest.startsWith('|') && !rest.startsWith('.')) return this.#compileWalk(rest)
    return this.#andThen(path.startsWith('{') ? this.#selectObject(selectors) : this.#selectArray(selectors), rest)
  }

  #selectArray(selectors: readonly Selector[]): Modifier {
    return (value, budget) =>
      selectors.map((selector) => this.get(value, selector.path, budget)).filter((found) => found !== undefined)
  }

  #selectObject(selectors: readonly Selector[]): Modifier {
    const named = selectors.map(({ name, path }) => ({ name: memberName(name, path), path }))
    return (value, budget) => {
      const members: [string, unknown][] = []
      for (const { name, path } of named) {
        const found = this.get(value, path, budget)
        if (found !== undefined) members.push([name, found])
      }
      return Object.fromEntries(members)
    }
  }

  #objectStep(path: string): ObjectStep {
    const component = objectComponent(path)
    const { part, more } = component
    const found = this.#foundIn(component)
    if (!component.wild) {
      return (object, walk) => {
        if (more === undefined) walk.pipe = component.pipe ?? walk.pipe
        walk.budget.visit()
        const value = member(object, part)
        return value !== undefined && found(value, walk)
      }
    }
    const matches = compileWildcard(part)
    return (object, walk) => {
      if (more === undefined) walk.pipe = component.pipe ?? walk.pipe
      for (const key of Object.keys(object)) {
        walk.budget.visit(1 + ((key.length * part.length) >> 4))
        if (matches(key) && found(object[key], walk)) return true
      }
      return false
    }
  }

  /** A member or element that the component names: the result, or the next container. */
  #foundIn({ more }: Component): (value: unknown, walk: Walk) => boolean {
    if (more !== undefined) return (value, walk) => this.#descend(value, more, walk)
    return (value, walk) => {
      walk.value = value
      return true
    }
  }

  #arrayStep(path: string): ArrayStep {
    const component = arrayComponent(path)
    const step = this.#arrayPart(component)
    if (component.pipe === undefined) return step
    return (array, walk) => {
      walk.pipe = component.pipe
      return step(array, walk)
    }
  }

  #arrayPart(component: ArrayComponent): ArrayStep {
    const { part, hash, each, query } = component
    if (query !== undefined) return this.#queryStep(component, query)
    if (each !== undefined) return this.#eachStep(each)
    if (part === '#') {
      return (array, walk) => {
        walk.value = array.length
        return true
      }
    }
    const index = hash ? -1 : arrayIndex(part)
    const found = this.#foundIn(component)
    return (array, walk) => index >= 0 && index < array.length && found(array[index], walk)
  }

  /** `#.path`: what the path leads to from every element that has it. */
  #eachStep(path: string): ArrayStep {
    const split = splitAtPipe(path)
    const elementPath = split?.left ?? path
    return (array, walk) => {
      walk.pipe = split?.right ?? walk.pipe
      walk.value = array.map((item) => this.get(item, elementPath, walk.budget)).filter((found) => found !== undefined)
      return true
    }
  }

  /** `#(...)` is the first element that the query fits, `#(...)#` all of them. */
  #queryStep({ more }: Component, query: NonNullable<ArrayComponent['query']>): ArrayStep {
    const test = compileQuery(query)
    const split = more === undefined ? undefined : splitAtPipe(more)
    const elementPath = split?.left ?? more
    const fits = (item: unknown, budget: Budget): boolean => {
      budget.visit()
      const isContainer = isArray(item) || isObject(item)
      if (!isContainer && query.path !== '') return false
      const subject = isContainer ? this.get(item, query.path, budget) : item
      if (typeof subject === 'string') budget.visit((subject.length * (1 + query.value.length)) >> 6)
      return test(subject)
    }
    const take = (item: unknown, walk: Walk): unknown => {
      walk.pipe = split?.right ?? walk.pipe
      return elementPath === undefined ? item : this.get(item, elementPath, walk.budget)
    }
    if (!query.all) {
      return (array, walk) => {
        const item = array.find((one) => fits(one, walk.budget))
        if (item === undefined) return false
        walk.value = take(item, walk)
        return true
      }
    }
    return (array, walk) => {
      const found = array
        .filter((item) => fits(item, walk.budget))
        .map((item) => take(item, walk))
        .filter((value) => value !== undefined)
      // An earlier find of a wildcard stands, and the search goes on.
      if (walk.value === undefined) walk.value = found
      return false
    }
  }
}

function memoized<T>(cache: Map<string, T>, key: string, create: () => T): T {
  let entry = cache.get(key)
  if (entry === undefined) {
    entry = create()
    cache.set(key, entry)
  }
  return entry
}

/** A JSON value, or all up to the next pipe outside of brackets and quotes. */
function modifierArgument(text: string): string {
  if (/^[{["]/.test(text)) return balanced(text)
  let i = 0
  while (i < text.length && text.charAt(i) !== '|') {
    i += '{["('.includes(text.charAt(i)) ? balanced(text.slice(i)).length : 1
  }
  return text.slice(0, i)
}

function memberName(name: string, path: string): string {
  if (name === '') return selectorName(path)
  const quoted = name.startsWith('"') ? parseJson(name) : undefined
  return typeof quoted === 'string' ? quoted : name
}
