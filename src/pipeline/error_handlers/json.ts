import { z } from 'zod'
import { defineErrorHandler } from '../contract/handler.ts'
import { errorAnswer } from '../error_body.ts'
import { compileWhen, whenSchema } from '../when.ts'

/** Answers with a JSON body. */
export const json = defineErrorHandler({
  name: 'json',
  config: z.strictObject({
    verbose: z.boolean().default(false).describe('Tell the client the reason, too.'),
    when: whenSchema,
  }),
  create: ({ verbose, when }) => ({
    matches: compileWhen(when, { outages: 'any' }),
    answer: (error, inbound) => errorAnswer(error, inbound, { verbose }),
  }),
})
