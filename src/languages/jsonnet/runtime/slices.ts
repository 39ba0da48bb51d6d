import { Fault } from '../errors.ts'
import type { Run } from './run.ts'
import { textLength } from './text.ts'
import { asInteger, typeName } from './types.ts'
import { isArray, type Value } from './values.ts'

/**
 * Every `step`th element from one index up to another; null stands for the default, a negative index counts from the end.
 * @throws Fault when it is neither array nor string, or the step is not above zero
 */
export function slice(target: Value, from: Value, to: Value, step: Value, run: Run): Value {
  if (typeof target !== 'string' && !isArray(target)) {
    throw new Fault(`std.slice accepts a string or an array, but got: ${typeName(target)}`)
  }
  const length = typeof target === 'string' ? textLength(target) : target.length
  const start = from === null ? 0 : clampIndex(asInteger(from), length)
  const end = to === null ? length : clampIndex(asInteger(to), length)
  const stride = step === null ? 1 : asInteger(step)
  if (stride <= 0) throw new Fault(`got [${start}:${end}:${stride}] but the step must be greater than 0`)
  run.allocate(Math.max(0, Math.ceil((end - start) / stride)) + (typeof target === 'string' ? length >>> 4 : 0))
  if (typeof target === 'string') return every(Array.from(target), start, end, stride).join('')
  return every(target, start, end, stride)
}

function clampIndex(index: number, length: number): number {
  return Math.min(index < 0 ? Math.max(0, length + index) : index, length)
}

function every<T>(elements: readonly T[], start: number, end: number, stride: number): readonly T[] {
  if (stride === 1) return elements.slice(start, end)
  const part: T[] = []
  for (let index = start; index < end; index += stride) part.push(elements[index] as T)
  return part
}
