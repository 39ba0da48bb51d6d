import { TemplateSuspended } from '../languages/gotemplate/index.ts'
import type { Awaitable } from './contract/values.ts'

/** A template asks for a few names at most; each of them may be a reason to wait once. */
const attempts = 16

/**
 * A step that is begun anew whenever a template of it has had to wait (`getHostByName`). Templates are rendered before a step
 * does anything else, so that nothing is done twice.
 */
export function resuming<Input, Result>(step: (input: Input) => Awaitable<Result>): typeof step {
  const attempt = (input: Input, left: number): Awaitable<Result> => {
    const afterWaiting = async (error: unknown): Promise<Result> => {
      if (!(error instanceof TemplateSuspended) || left === 0) throw error
      await error.until
      return attempt(input, left - 1)
    }
    try {
      const result = step(input)
      return result instanceof Promise ? result.catch(afterWaiting) : result
    } catch (error) {
      return afterWaiting(error)
    }
  }
  return (input) => attempt(input, attempts)
}
