import { z } from 'zod'
import { defineAuthenticator } from '../contract/handler.ts'

/** Lets every request in, without a subject; the authorizer and the mutators still run. */
export const noop = defineAuthenticator({
  name: 'noop',
  config: z.unknown(),
  create() {
    const authenticated = { outcome: 'authenticated', session: { subject: '', extra: null } } as const
    return () => authenticated
  },
})
