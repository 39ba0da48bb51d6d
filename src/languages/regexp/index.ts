export { RegexpStepLimitError, RegexpSyntaxError } from './errors.ts'
export { compileRegexp, literalPrefix, quoteMeta, type MatchLimits, type Regexp } from './regexp.ts'
