/** What is told alike of YAML and of JSON. */

/** More than any file that people write, and far below what exhausts a stack. */
export const maxDepth = 100

export const tooDeep = 'The text is nested too deeply'
export const unfitScalar = 'This value must be text, a finite number, true, false or null'
export const prototypeKey = 'The key "__proto__" is not allowed'
export const repeatedKey = {
  message: 'This key is given twice in the same map',
  hint: 'Keep one of the two; which one would count is left open by YAML.',
}
