import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { defineAuthorizer } from '../contract/handler.ts'

/** Refuses every request with 403. */
export const deny = defineAuthorizer({
  name: 'deny',
  config: z.unknown(),
  create: () => ({
    authorize: () => ({ outcome: 'denied', error: new GatewayError('access_denied') }),
    owns: [],
  }),
})
