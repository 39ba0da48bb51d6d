/** What runs in a worker: one mapper at a time, which may be killed in the middle of its work. */
import { parentPort } from 'node:worker_threads'
import { GatewayError } from '../../../errors.ts'
import type { JsonObject } from '../../../pipeline/contract/values.ts'
import { type ClaimsMapper, jsonnetMapper } from '../jsonnet.ts'

/** Data as JSON texts: cheaper to hand over than objects, and without getters or prototypes. */
export interface Task {
  readonly source: string
  readonly file: string
  readonly session: string
  readonly defaults: string
  readonly others: string
}

export type Result =
  | { readonly ready: true }
  | { readonly claims: string }
  | {
      /** Of the mapper's failure; absent for a fault of ours. */
      readonly failure?: { readonly message: string; readonly reason: string }
    }

/** Compiled mappers that are kept; the oldest makes room. */
const MOST_MAPPERS = 200

const mappers = new Map<string, ClaimsMapper>()

function mapperOf({ source, file }: Task): ClaimsMapper {
  const known = mappers.get(source)
  if (known !== undefined) return known
  const mapper = jsonnetMapper(source, file)
  const [oldest] = mappers.keys()
  if (oldest !== undefined && mappers.size >= MOST_MAPPERS) mappers.delete(oldest)
  mappers.set(source, mapper)
  return mapper
}

function perform(task: Task): Result {
  try {
    const parse = (text: string): JsonObject => JSON.parse(text) as JsonObject
    const claims = mapperOf(task).map(parse(task.session), parse(task.defaults), parse(task.others))
    return { claims: JSON.stringify(claims) }
  } catch (error) {
    if (!(error instanceof GatewayError) || error.reason === undefined) return {}
    return { failure: { message: error.message, reason: error.reason } }
  }
}

const tell = (result: Result): void => parentPort?.postMessage(result, [])

parentPort?.on('message', (task: Task) => tell(perform(task)))
tell({ ready: true })
