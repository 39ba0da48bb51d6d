/** What one program may use. All limits are counts, so that a result never depends on how busy the machine is. */
export interface Limits {
  /** Expressions evaluated and elements handled per evaluation. Default 1,000,000. */
  readonly steps: number
  /** Elements, fields and (by the eight) characters that are made per evaluation. Default 2,000,000. */
  readonly allocations: number
  /** Nested expressions of all calls and lazy values that are being evaluated. Default 4,000. */
  readonly depth: number
  /** Length of the result as JSON, in UTF-16 code units. Default 262,144. */
  readonly output: number
  /** Length of any string made on the way, in UTF-16 code units. Default 524,288. */
  readonly text: number
  /** Length of the source, in UTF-16 code units. Default 65,536, which is what Kratos takes, too. */
  readonly source: number
  /** Nested expressions in the source. A chain of operators is one level, however long. Default 300. */
  readonly nesting: number
}

export const defaultLimits: Limits = {
  steps: 1_000_000,
  allocations: 2_000_000,
  depth: 4_000,
  output: 262_144,
  text: 524_288,
  source: 65_536,
  nesting: 300,
}
