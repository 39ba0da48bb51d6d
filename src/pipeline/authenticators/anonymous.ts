import { z } from 'zod'
import { defineAuthenticator } from '../contract/handler.ts'

/** Lets requests without an Authorization header in, under a fixed subject. */
export const anonymous = defineAuthenticator({
  name: 'anonymous',
  config: z.strictObject({
    subject: z.string().default('anonymous').describe('Subject of requests without credentials.'),
  }),
  create({ subject }) {
    // One object for all requests, so that tokens made from it are found again. As in Oathkeeper an empty name is none.
    const authenticated = {
      outcome: 'authenticated',
      session: { subject: subject || 'anonymous', extra: null },
    } as const
    return (inbound) =>
      (inbound.headers.get('authorization') ?? '') === '' ? authenticated : { outcome: 'not_responsible' }
  },
})
