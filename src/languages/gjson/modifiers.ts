import type { Budget } from './budget.ts'
import { GjsonLimitError } from './errors.ts'
import { isArray, isObject, parseBool, parseJson } from './values.ts'

/** A modifier at work; an undefined value stands for "does not exist", in and out. */
export type Modifier = (value: unknown, budget: Budget) => unknown

const identity: Modifier = (value) => value

/** Compiles a modifier without `@dig`, which takes a path. @param argument what follows the colon, '' for nothing */
type ModifierFactory = (argument: string) => Modifier

const FACTORIES = new Map<string, ModifierFactory>([
  ['this', () => identity],
  // Both are about white space, which a parsed value has none of.
  ['pretty', () => identity],
  ['ugly', () => identity],
  ['valid', () => identity],
  ['reverse', () => reverse],
  ['flatten', (argument) => compileFlatten(flag(argument, 'deep'))],
  ['join', () => join],
  ['keys', () => keys],
  ['values', () => values],
  ['tostr', () => toText],
  ['fromstr', () => fromText],
  ['group', () => group],
])

/** The names that `@` makes modifiers of. */
export const modifierNames: ReadonlySet<string> = new Set([...FACTORIES.keys(), 'dig'])

/** @param argument what follows the colon, '' for nothing @returns undefined for an unknown name, and for `dig` */
export function compileModifier(name: string, argument: string): Modifier | undefined {
  return FACTORIES.get(name)?.(argument)
}

/** A boolean of a JSON argument such as `{"deep":true}`, read loosely: numbers but 0 and the words for true count. */
function flag(argument: string, name: string): boolean {
  const options = parseJson(argument)
  if (!isObject(options) || !Object.hasOwn(options, name)) return false
  const value = options[name]
  if (typeof value === 'string') return parseBool(value) === true
  return value === true || (typeof value === 'number' && value !== 0)
}

function reverse(value: unknown, budget: Budget): unknown {
  if (isArray(value)) {
    budget.visit(value.length)
    return value.toReversed()
  }
  if (!isObject(value)) return value
  const entries = Object.entries(value)
  budget.visit(entries.length)
  return Object.fromEntries(entries.reverse())
}

function compileFlatten(deep: boolean): Modifier {
  const flatten = (array: readonly unknown[], budget: Budget, depth: number): unknown[] => {
    budget.visit(array.length)
    budget.checkDepth(depth)
    return array.flatMap((item) => {
      if (!isArray(item)) return [item]
      budget.visit(item.length)
      return deep ? flatten(item, budget, depth + 1) : item
    })
  }
  return (value, budget) => (isArray(value) ? flatten(value, budget, 0) : value)
}

/** The members of all objects of an array in one; the last of each name counts. */
function join(value: unknown, budget: Budget): unknown {
  if (!isArray(value)) return value
  const members = new Map<string, unknown>()
  budget.visit(value.length)
  for (const item of value) {
    if (!isObject(item)) continue
    const entries = Object.entries(item)
    budget.visit(entries.length)
    for (const [name, member] of entries) members.set(name, member)
  }
  return Object.fromEntries(members)
}

function keys(value: unknown, budget: Budget): unknown {
  if (value === undefined) return []
  const names = isObject(value) ? Object.keys(value) : isArray(value) ? value.map(() => null) : [null]
  budget.visit(names.length)
  return names
}

function values(value: unknown, budget: Budget): unknown {
  if (value === undefined) return []
  if (isArray(value)) return value
  const members = isObject(value) ? Object.values(value) : [value]
  budget.visit(members.length)
  return members
}

function toText(value: unknown, budget: Budget): unknown {
  if (value === undefined) return ''
  try {
    const text = JSON.stringify(value)
    // One visit for what a small value takes to write.
    budget.visit(text.length >> 4)
    return text
  } catch (error) {
    if (error instanceof RangeError) throw new GjsonLimitError('the document is nested too deeply')
    throw error
  }
}

function fromText(value: unknown, budget: Budget): unknown {
  if (value === null) return undefined
  if (typeof value !== 'string') return value
  budget.visit(value.length >> 4)
  return parseJson(value)
}

/** `{"a":[1,2],"b":[3]}` becomes `[{"a":1,"b":3},{"a":2}]`. */
function group(value: unknown, budget: Budget): unknown {
  if (!isObject(value)) return undefined
  const rows: Map<string, unknown>[] = []
  for (const [name, column] of Object.entries(value)) {
    if (!isArray(column)) continue
    budget.visit(column.length)
    for (const [index, item] of column.entries()) {
      const row = rows[index] ?? new Map<string, unknown>()
      rows[index] = row
      row.set(name, item)
    }
  }
  return rows.map((row) => Object.fromEntries(row) as unknown)
}
