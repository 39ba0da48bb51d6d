import type { ParamType, Signature } from '../values/signature.ts'
import type { GoValue } from '../values/value.ts'
import type { Limits } from '../limits.ts'
import type { Meter } from '../values/meter.ts'

/** Where functions get what lies outside of the data. */
export interface Host {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** That many random bytes. */
  readonly randomBytes: (length: number) => Uint8Array
  /** An environment variable; asked only when `env` or `expandenv` is enabled. */
  readonly env: (name: string) => string | undefined
  /** Addresses of a host, or what ends when they are known; asked only when `getHostByName` is enabled. */
  readonly lookup: (name: string) => readonly string[] | Promise<void>
}

/** What a running function can use. */
export interface FunctionContext {
  readonly meter: Meter
  readonly host: Host
}

export interface FunctionSpec extends Signature {
  /** A missing field may be given to it: it tests for that, or puts something in its place. */
  readonly takesMissing: boolean
  /** Its result can differ between runs on the same data. */
  readonly volatile: boolean
  /**
   * Makes the function for one place in a template, with what can be prepared there once.
   * @param constant the first argument, when it is a literal string
   * @throws GoError when the constant is a mistake
   */
  readonly bind: (constant: string | undefined, limits: Limits) => Call
}

export type Call = (context: FunctionContext, args: readonly GoValue[]) => GoValue

export type FunctionTable = ReadonlyMap<string, FunctionSpec>

/** Describes a function; `...` before the last parameter's type makes it variadic. */
export function fn(params: readonly (ParamType | `...${ParamType}`)[], call: Call): FunctionSpec {
  return bound(params, () => call)
}

/** A function that prepares its first argument when that is a constant of the template. */
export function bound(params: Parameters<typeof fn>[0], bind: FunctionSpec['bind']): FunctionSpec {
  const last = params.at(-1)
  const variadic = last?.startsWith('...') === true
  const fixed = (variadic ? params.slice(0, -1) : params) as readonly ParamType[]
  const spec = { params: fixed, takesMissing: false, volatile: false, bind }
  return variadic ? { ...spec, rest: last.slice(3) as ParamType } : spec
}

/** A function that may be given a missing field. */
export function guard(params: Parameters<typeof fn>[0], call: Call): FunctionSpec {
  return { ...fn(params, call), takesMissing: true }
}

/** A function whose result can differ between runs. */
export function volatile(params: Parameters<typeof fn>[0], call: Call): FunctionSpec {
  return { ...fn(params, call), volatile: true }
}
