export { JsonnetLimitError, JsonnetRuntimeError, JsonnetSyntaxError } from './errors.ts'
export type { Importer } from './importer.ts'
export { defaultLimits, type Limits } from './limits.ts'
export { type CompileOptions, compileJsonnet, type EvaluateOptions, type JsonnetProgram } from './program.ts'
