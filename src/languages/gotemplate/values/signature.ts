/** Type of a parameter of a Go function, as far as templates can tell types apart. */
export type ParamType =
  | 'any'
  | 'string'
  | 'bool'
  | 'int'
  | 'int64'
  | 'float64'
  | 'map'
  | 'time'
  | 'duration'
  /** reflect.Value: takes anything, and nil stays nil. */
  | 'value'

/** How a function or method may be called. */
export interface Signature {
  readonly params: readonly ParamType[]
  /** Type of the further arguments of a variadic function. */
  readonly rest?: ParamType
}
