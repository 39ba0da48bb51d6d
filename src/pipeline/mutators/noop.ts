import { z } from 'zod'
import { defineMutator } from '../contract/handler.ts'

/** Changes nothing; /decisions answers with the request's own headers, on which integrations rely. */
export const noop = defineMutator({
  name: 'noop',
  config: z.unknown(),
  create(_config, { safeguards }) {
    const unchanged = { echoRequestHeaders: safeguards.client_headers === 'pass' }
    return { mutate: () => unchanged, owns: [] }
  },
})
