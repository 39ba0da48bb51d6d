import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { defineAuthenticator } from '../contract/handler.ts'

/** Refuses every request with 401. */
export const unauthorized = defineAuthenticator({
  name: 'unauthorized',
  config: z.unknown(),
  create: () => () => ({ outcome: 'denied', error: new GatewayError('credentials_invalid') }),
})
