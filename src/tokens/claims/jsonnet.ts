import { GatewayError } from '../../errors.ts'
import {
  compileJsonnet,
  JsonnetLimitError,
  type JsonnetProgram,
  JsonnetRuntimeError,
  JsonnetSyntaxError,
} from '../../languages/jsonnet/index.ts'
import { ConfigError } from '../../pipeline/contract/config_error.ts'
import type { Json, JsonObject } from '../../pipeline/contract/values.ts'
import { digest } from './fingerprint.ts'

/** What Kratos calls a claims mapper: a Jsonnet program that sees the session and the claims that a token has anyway. */
export interface ClaimsMapper {
  /** Tells this mapper from every other: its language and its text. */
  readonly identity: string
  readonly source: string
  /** What errors call it. */
  readonly file: string
  /** Whether it asks for one of the variables that come with the request: `match_context` and `header`. */
  readonly readsRequest: boolean
  /**
   * All claims of a token: the defaults, replaced one by one by what the mapper says. Only `sub` stays as it is; that a
   * token ends with its session is for the caller to see to.
   * @param session what the session store says of the session; `std.extVar('session')`
   * @param defaults the claims without a mapper: `std.extVar('claims')`
   * @param others further variables by name
   * @throws GatewayError `template_failed`, without values of the session
   */
  map(session: JsonObject, defaults: JsonObject, others?: JsonObject): JsonObject
}

/** A variable is only known to be read when its name stands in the call; whoever computes the name does not get it. */
const requestVariable = /\bextVar\s*\(\s*(["'])(?:match_context|header)\1/u

/**
 * Compiles the mapper of one of Kratos' tokenizer templates.
 * @param source the program
 * @param file what errors call it; a path, or a label without secrets
 * @throws ConfigError with file, line and column
 */
export function jsonnetMapper(source: string, file: string): ClaimsMapper {
  const program = compile(source, file)
  return {
    identity: digest(['jsonnet', source]),
    source,
    file,
    readsRequest: requestVariable.test(source),
    map(session, defaults, others = {}) {
      const output = evaluate(program, source, { ...others, session, claims: defaults })
      const claims = isObject(output) && Object.hasOwn(output, 'claims') ? output['claims'] : undefined
      if (!isObject(claims)) {
        throw new GatewayError('template_failed', {
          message: 'Expected tokenizer JsonNet to return a claims object but it did not.',
          reason: `The claims mapper ${file} does not make an object with an object "claims"`,
        })
      }
      const merged: JsonObject = { ...defaults, ...claims }
      if (Object.hasOwn(defaults, 'sub')) merged['sub'] = defaults['sub'] as Json
      else delete merged['sub']
      return merged
    },
  }
}

function compile(source: string, file: string): JsonnetProgram {
  try {
    return compileJsonnet(source, { file })
  } catch (error) {
    if (!(error instanceof JsonnetSyntaxError || error instanceof JsonnetLimitError)) throw error
    throw new ConfigError(`The claims mapper cannot be used: ${error.message}`)
  }
}

function evaluate(program: JsonnetProgram, source: string, extVars: JsonObject): Json {
  try {
    return program.evaluate({ extVars })
  } catch (error) {
    if (error instanceof JsonnetLimitError) {
      throw mapperFailure(`The claims mapper was stopped: ${error.message}`)
    }
    if (!(error instanceof JsonnetRuntimeError)) throw error
    const { file, line, column } = error
    const reason = `The claims mapper failed at ${file}:${line}:${column}`
    throw mapperFailure(reason + missingField(error.reason, source))
  }
}

/** A mapper that came to no result. The message is Kratos'; only the reason tells what happened. */
export function mapperFailure(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('template_failed', { message: 'Unable to execute tokenizer JsonNet.', reason, cause })
}

/** Names the field that is missing, when the name is the author's. No other message is passed on: it may quote a value. */
function missingField(reason: string, source: string): string {
  const name = /^Field does not exist: (\w+)$/u.exec(reason)?.[1]
  return name !== undefined && new RegExp(String.raw`\b${name}\b`, 'u').test(source)
    ? `: there is no field ${name}`
    : ''
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
