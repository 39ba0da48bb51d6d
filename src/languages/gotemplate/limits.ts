/** What one template may use. All limits are counts, so that a result never depends on how busy the machine is. */
export interface Limits {
  /** Steps per render; a node is one, work on long strings, lists and maps costs more by its size. Default 100,000. */
  readonly operations: number
  /** Length of the output, and of any string made on the way, in UTF-16 code units. Default 1,048,576. */
  readonly output: number
  /** Nested `template` calls. Default 100. */
  readonly templateDepth: number
  /** Nested parentheses and control structures in the source. Default 200. */
  readonly nesting: number
  /** Depth of data that is printed, encoded, copied or compared. Default 200. */
  readonly dataDepth: number
  /** Elements of a list made by `until`, `untilStep`, `seq`, `splitList` and the like. Default 10,000. */
  readonly listLength: number
  /** Width and precision in `printf`. Default 1,000. */
  readonly width: number
  /** Length of a regular expression or version constraint, in UTF-16 code units. Default 1,000. */
  readonly pattern: number
  /**
   * Slow work per render, of the unsafe functions that hash passwords and make keys: 1 for a hash by bcrypt or an RSA key of
   * 2048 bits, 2 for a derived password, 4 for an RSA key of 4096 bits or one for DSA. Default 4.
   */
  readonly slowWork: number
}

export const defaultLimits: Limits = {
  operations: 100_000,
  output: 1_048_576,
  templateDepth: 100,
  nesting: 200,
  dataDepth: 200,
  listLength: 10_000,
  width: 1_000,
  pattern: 1_000,
  slowWork: 4,
}
