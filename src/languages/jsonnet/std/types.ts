import { Fault } from '../errors.ts'
import { isFunction } from '../runtime/function.ts'
import { quote, toText } from '../runtime/json.ts'
import { equals } from '../runtime/operators.ts'
import type { Run } from '../runtime/run.ts'
import { textLength } from '../runtime/text.ts'
import { type TypeName, typeName } from '../runtime/types.ts'
import { force, isArray, type Value } from '../runtime/values.ts'
import { string, value } from './args.ts'
import { type Members, native } from './spec.ts'

const is = (type: TypeName): Value => native(['v'], (args, run) => typeName(value(args, 0, run)) === type)

/** Characters, elements, visible fields or parameters. */
function length(given: Value, run: Run): number {
  if (typeof given === 'string') {
    run.spend(given.length >>> 4)
    return textLength(given)
  }
  if (isArray(given)) return given.length
  if (isFunction(given)) return given.params.filter(({ fallback }) => fallback === undefined).length
  if (typeof given !== 'object' || given === null) throw new Fault(`Unexpected type ${typeName(given)}`)
  return given.visibleNames(run).length
}

function primitiveEquals(left: Value, right: Value, run: Run): boolean {
  const type = typeName(left)
  if (type !== typeName(right)) return false
  if (type === 'function') throw new Fault('Cannot test equality of functions')
  if (type !== 'array' && type !== 'object') return equals(left, right, run)
  throw new Fault(`primitiveEquals operates on primitive types, got ${type}`)
}

const shown = (given: Value, run: Run): string => (typeof given === 'string' ? quote(given, run) : toText(given, run))

export const types: Members = {
  type: native(['x'], (args, run) => typeName(value(args, 0, run))),
  isString: is('string'),
  isNumber: is('number'),
  isBoolean: is('boolean'),
  isObject: is('object'),
  isArray: is('array'),
  isFunction: is('function'),
  isNull: is('null'),
  length: native(['x'], (args, run) => length(value(args, 0, run), run)),
  equals: native(['x', 'y'], (args, run) => equals(value(args, 0, run), value(args, 1, run), run)),
  primitiveEquals: native(['x', 'y'], (args, run) => primitiveEquals(value(args, 0, run), value(args, 1, run), run)),
  assertEqual: native(['a', 'b'], (args, run) => {
    const [left, right] = [value(args, 0, run), value(args, 1, run)]
    if (equals(left, right, run)) return true
    throw new Fault(`Assertion failed. ${shown(left, run)} != ${shown(right, run)}`)
  }),
  trace: native(['str', 'rest'], (args, run) => {
    run.trace(string(args, 0, run))
    return value(args, 1, run)
  }),
  native: native(['x'], (args, run) => {
    string(args, 0, run)
    return null
  }),
  extVar: native(['x'], (args, run) => {
    const name = string(args, 0, run)
    const variable = run.extVars.get(name)
    if (variable === undefined) throw new Fault(`Undefined external variable: ${name}`)
    return force(variable, run)
  }),
}
