import { z } from 'zod'
import { defineAuthorizer } from '../contract/handler.ts'

/** Lets every authenticated request through. */
export const allow = defineAuthorizer({
  name: 'allow',
  config: z.unknown(),
  create() {
    const allowed = { outcome: 'allowed' } as const
    return { authorize: () => allowed, owns: [] }
  },
})
