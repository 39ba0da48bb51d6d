import { z } from 'zod'
import { unsafeFunctions } from '../../languages/gotemplate/index.ts'

export const templates = z
  .strictObject({
    allow_functions: z
      .array(z.enum(unsafeFunctions))
      .default([])
      .describe(
        'Functions of Go templates that are refused unless they are named here: they show environment variables, which may be secrets, to whoever can write a rule, take so long that other requests wait, or make keys. A template has four hashes of passwords or RSA keys of 2048 bits for each request, or one key of 4096 bits.',
      ),
  })
  .prefault({})
  .describe('Go templates.')
