import { z } from 'zod'
import { ConfigError } from '../contract/config_error.ts'
import { defineMutator } from '../contract/handler.ts'
import type { HeaderEdit } from '../contract/headers.ts'
import { compileHeaderTemplate } from '../header_template.ts'
import { framingHeaders, hopByHopHeaders } from '../message_headers.ts'

const nameSchema = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name')

/** Sets request headers for the upstream from templates, or removes them; an empty result still replaces what the client sent. */
export const header = defineMutator({
  name: 'header',
  config: z
    .strictObject({
      headers: z.record(nameSchema, z.string()).optional().describe('Header names and Go templates of their values.'),
      remove: z
        .array(nameSchema)
        .optional()
        .describe(
          'Names of headers that the upstream does not get, whoever set them. Does not reach Host and framing.',
        ),
    })
    .refine(({ headers, remove }) => headers !== undefined || remove !== undefined, {
      error: 'must have "headers" or "remove"',
    }),
  create({ headers = {}, remove = [] }, setup) {
    const entries = Object.entries(headers).map(([name, source]) => ({
      name,
      render: compileHeaderTemplate(source, ['headers', name], setup),
    }))
    const set = Object.keys(headers).map((name) => name.toLowerCase())
    const both = remove.findIndex((name) => set.includes(name.toLowerCase()))
    if (both !== -1) {
      throw new ConfigError(
        `The header "${remove[both]}" is both set and removed`,
        ['remove', both],
        'Keep one of the two.',
      )
    }
    for (const name of Object.keys(headers)) {
      if (!isOfMessage(name)) continue
      const hint = 'Take it out. `preserve_host` of the rule’s `upstream` is about Host.'
      setup.report(
        'warning',
        `The header "${name}" has no effect: it is the gateway's own to write`,
        ['headers', name],
        hint,
      )
    }
    const removed = remove.map((name): HeaderEdit => [name, null])
    return {
      mutate: (exchange) => ({
        edits: [...removed, ...entries.map(({ name, render }): HeaderEdit => [name, render(exchange)])],
      }),
      owns: [...set, ...remove.map((name) => name.toLowerCase())],
    }
  },
})

function isOfMessage(name: string): boolean {
  const lower = name.toLowerCase()
  return hopByHopHeaders.has(lower) || framingHeaders.has(lower)
}
