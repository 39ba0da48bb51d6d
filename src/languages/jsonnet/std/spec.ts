import { Native, type NativeCode, type Param } from '../runtime/function.ts'
import type { Value } from '../runtime/values.ts'

/** Functions of the standard library by name. */
export type Members = Readonly<Record<string, Value>>

/** A function of the standard library. A parameter is a name, or a name with its default. */
export function native(params: readonly (string | readonly [string, Value])[], code: NativeCode): Native {
  return new Native(
    params.map((param): Param => (typeof param === 'string' ? { name: param } : toParam(param))),
    code,
  )
}

const toParam = ([name, value]: readonly [string, Value]): Param => ({ name, fallback: { value } })
