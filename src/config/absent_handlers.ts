import { isMap } from '../documents/layers.ts'
import type { Locate, Problem } from '../documents/problem.ts'
import type { AnyHandler } from '../pipeline/contract.ts'
import { absentHandlers } from './schema/absent.ts'

/**
 * Warns of each handler that a config enables and this version does not have. No more than a warning: what no rule uses
 * does no harm, and a rule that uses one is invalid by itself and never lets a request through.
 */
export function warnOfAbsentHandlers(config: unknown, handlers: readonly AnyHandler[], locate: Locate): Problem[] {
  return absentHandlers
    .filter(({ kind, name }) => !handlers.some((handler) => handler.kind === kind && handler.name === name))
    .map(({ kind, name }) => ({ name, path: kind === 'errors' ? ['errors', 'handlers', name] : [kind, name] }))
    .filter(({ path }) => isEnabled(config, path))
    .map(({ name, path }) => {
      const place = locate([...path, 'enabled'])
      return {
        severity: 'warning',
        message: `The handler "${name}" is not available in this version`,
        hint: 'Rules that use it are invalid: they refuse every request.',
        ...(place !== undefined && { place }),
      }
    })
}

function isEnabled(config: unknown, path: readonly string[]): boolean {
  let block = config
  for (const step of path) block = isMap(block) ? block[step] : undefined
  return isMap(block) && block['enabled'] === true
}
