import { GoError } from '../errors.ts'
import type { NumberLiteral } from '../syntax/ast.ts'
import type { ParamType } from '../values/signature.ts'
import { int64, typeName } from '../values/types.ts'
import { GoInt, type GoValue, isNothing, isRecord } from '../values/value.ts'

const goNames: Readonly<Record<ParamType, string>> = {
  any: 'interface {}',
  value: 'reflect.Value',
  string: 'string',
  bool: 'bool',
  int: 'int',
  int64: 'int64',
  float64: 'float64',
  map: 'map[string]interface {}',
  time: 'time.Time',
  duration: 'time.Duration',
}

/** Whether nil may be given for a parameter of that type. */
export const takesNil = (type: ParamType): boolean => type === 'any' || type === 'value' || type === 'map'

/** Checks a value for a parameter. @throws GoError when Go would not accept it */
export function coerce(value: GoValue, type: ParamType): GoValue {
  switch (type) {
    case 'any':
    case 'value':
      return value
    case 'string':
    case 'bool':
    case 'float64':
    case 'int':
      if (typeof value === jsTypes[type]) return value
      break
    case 'int64':
      if (value instanceof GoInt && value.kind === 'int64') return value
      break
    case 'map':
      // A key that is not there is an interface without a value: only the word nil is a nil map.
      if (isRecord(value)) return value
      break
    case 'time':
    case 'duration':
      if (typeName(value) === goNames[type]) return value
      break
  }
  if (isNothing(value)) throw new GoError(`invalid value; expected ${goNames[type]}`)
  throw new GoError(`wrong type for value; expected ${goNames[type]}; got ${typeName(value)}`)
}

const jsTypes = { string: 'string', bool: 'boolean', float64: 'number', int: 'bigint' } as const

/** What a number literal is for a parameter; undefined when it cannot be that. */
export function literalAs(literal: NumberLiteral, type: ParamType): GoValue {
  switch (type) {
    case 'any':
    case 'value':
      return literal.preferred === 'int' ? literal.int : literal.float
    case 'float64':
      return literal.float
    case 'int':
      return literal.int
    case 'int64':
    case 'duration':
      return literal.int === undefined ? undefined : int64(literal.int)
    case 'string':
    case 'bool':
    case 'map':
    case 'time':
    default:
      return undefined
  }
}

export const goTypeName = (type: ParamType): string => goNames[type]
