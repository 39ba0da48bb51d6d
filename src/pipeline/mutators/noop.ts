import { z } from 'zod'
import { defineMutator } from '../contract.ts'

/** Changes nothing; /decisions answers with the request's own headers, on which integrations rely. */
export const noop = defineMutator({
  name: 'noop',
  config: z.unknown(),
  create() {
    const unchanged = { echoRequestHeaders: true } as const
    return { mutate: () => unchanged, owns: [] }
  },
})
