import { z } from 'zod'

export const templates = z
  .strictObject({
    allow_functions: z
      .array(z.enum(['env', 'expandenv']))
      .default([])
      .describe(
        'Functions of Go templates that are refused unless they are named here: they show environment variables, which may be secrets, to whoever can write a rule.',
      ),
  })
  .prefault({})
  .describe('Go templates.')
