import { z } from 'zod'
import { defineMutator, type HeaderEdit } from '../contract.ts'
import { compileHeaderTemplate } from '../header_template.ts'

/** Sets request headers for the upstream from templates; an empty result still replaces what the client sent. */
export const header = defineMutator({
  name: 'header',
  config: z.strictObject({
    headers: z
      .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name'), z.string())
      .describe('Header names and Go templates of their values.'),
  }),
  create({ headers }, setup) {
    const entries = Object.entries(headers).map(([name, source]) => ({
      name,
      render: compileHeaderTemplate(source, ['headers', name], setup),
    }))
    return {
      mutate: (exchange) => ({ edits: entries.map(({ name, render }): HeaderEdit => [name, render(exchange)]) }),
      owns: entries.map(({ name }) => name.toLowerCase()),
    }
  },
})
