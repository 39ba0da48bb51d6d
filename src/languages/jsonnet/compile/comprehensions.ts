import { locate } from '../errors.ts'
import { type Code, Scope } from '../runtime/code.ts'
import { type Field, JsonnetObject } from '../runtime/object.ts'
import type { Run } from '../runtime/run.ts'
import { asArray } from '../runtime/types.ts'
import type { Slot } from '../runtime/values.ts'
import type { Clause, Node } from '../syntax/ast.ts'
import { compileCondition } from './conditions.ts'
import { Names } from './names.ts'
import { compileField, compileFieldName, setField } from './objects.ts'
import type { Place } from './place.ts'

type Emit = (scope: Scope, run: Run) => void
/** Steps of one iteration: a scope, and mostly a lazy value. */
const ITERATION = 8

type Loop = (scope: Scope, run: Run, emit: Emit) => void

/** `[item for … if …]` */
export function compileArrayComprehension(node: Extract<Node, { kind: 'array_comprehension' }>, place: Place): Code {
  const { loop, inner } = compileClauses(node.clauses, place)
  const item = inner.slot(node.item)
  return (scope, run) => {
    const items: Slot[] = []
    loop(scope, run, (at) => {
      items.push(item(at, run))
    })
    return items
  }
}

/** `{ [name]: value for … if … }` */
export function compileObjectComprehension(node: Extract<Node, { kind: 'object_comprehension' }>, place: Place): Code {
  const { loop, inner } = compileClauses(node.clauses, place)
  const name = compileFieldName(node.field.name, inner)
  const names = new Names(
    inner.names,
    node.locals.map((local) => local.name),
    true,
  )
  const members = inner.within(names)
  const locals = node.locals.map(({ value }) => members.body(value))
  const field = compileField(node.field, members)
  const { source } = place.unit
  return (scope, run) => {
    const fields = new Map<string, Field>()
    loop(scope, run, (at) => {
      const key = name(at, run)
      try {
        setField(fields, key, () => field(at))
      } catch (error) {
        throw locate(error, source, node.at)
      }
    })
    return new JsonnetObject([{ fields, scope, locals }])
  }
}

/** The clauses as one loop, and the place inside of all of them. */
function compileClauses(clauses: readonly Clause[], place: Place): { readonly loop: Loop; readonly inner: Place } {
  let inner = place
  const steps: ((next: Loop) => Loop)[] = []
  for (const clause of clauses) {
    if (clause.kind === 'if') {
      const condition = compileCondition(clause.condition, inner)
      steps.push((next) => (scope, run, emit) => {
        if (condition(scope, run)) next(scope, run, emit)
      })
    } else {
      const list = inner.code(clause.list)
      const { source } = place.unit
      steps.push((next) => (scope, run, emit) => {
        const value = list(scope, run)
        let items: readonly Slot[]
        try {
          items = asArray(value)
        } catch (error) {
          throw locate(error, source, clause.at)
        }
        for (const item of items) {
          run.allocate(1)
          run.spend(ITERATION)
          next(new Scope(scope, [item]), run, emit)
        }
      })
      inner = inner.within(new Names(inner.names, [clause.name]))
    }
    inner = inner.deeper()
  }
  const last: Loop = (scope, run, emit) => emit(scope, run)
  return { loop: steps.reduceRight((next, step) => step(next), last), inner }
}
