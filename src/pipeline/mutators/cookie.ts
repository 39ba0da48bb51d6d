import { z } from 'zod'
import { ConfigError } from '../contract/config_error.ts'
import type { Exchange } from '../contract/exchange.ts'
import { defineMutator } from '../contract/handler.ts'
import { parseCookies, type RequestCookie, requestCookies } from '../credentials.ts'
import { compileHeaderTemplate } from '../header_template.ts'

const nameSchema = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a cookie name')

/**
 * Sets request cookies for the upstream from templates, or removes them; the client's cookies of the same names are
 * replaced, others stay.
 */
export const cookie = defineMutator({
  name: 'cookie',
  config: z
    .strictObject({
      cookies: z.record(nameSchema, z.string()).optional().describe('Cookie names and Go templates of their values.'),
      remove: z.array(nameSchema).optional().describe('Names of cookies that the upstream does not get.'),
    })
    .refine(({ cookies, remove }) => cookies !== undefined || remove !== undefined, {
      error: 'must have "cookies" or "remove"',
    }),
  create({ cookies = {}, remove = [] }, setup) {
    const both = remove.findIndex((name) => Object.hasOwn(cookies, name))
    if (both !== -1) {
      throw new ConfigError(
        `The cookie "${remove[both]}" is both set and removed`,
        ['remove', both],
        'Keep one of the two.',
      )
    }
    const replaced = new Set([...Object.keys(cookies), ...remove])
    // Rebuilding the Cookie header must not bring back what the proxy takes out of it.
    if (!setup.passCredentials) for (const name of setup.sessionCookies) replaced.add(name)
    const entries = Object.entries(cookies).map(([name, source]) => ({
      name,
      render: compileHeaderTemplate(source, ['cookies', name], setup),
    }))
    return {
      mutate(exchange) {
        const kept = cookiesSoFar(exchange).filter(({ name }) => !replaced.has(name))
        const pairs = [
          ...entries.map(({ name, render }) => ({ name, value: render(exchange), quoted: false })),
          ...kept,
        ]
        const line = pairs.map(({ name, value, quoted }) => `${name}=${cookieValue(value, quoted)}`).join('; ')
        // Oathkeeper sends an empty header when no cookie is left.
        return { edits: [['Cookie', line === '' && remove.length > 0 ? null : line]] }
      },
      owns: ['cookie'],
    }
  },
})

/** What earlier steps have left of the request's cookies: what they removed or replaced must not come back. */
function cookiesSoFar({ inbound, edits }: Exchange): readonly RequestCookie[] {
  const earlier = edits.findLast(([name]) => name.toLowerCase() === 'cookie')
  return earlier === undefined ? requestCookies(inbound) : parseCookies([earlier[1] ?? ''])
}

/**
 * RFC 6265 section 4.1.1, as Go writes it: what cannot stand in a cookie is left out; spaces and commas need quotes, and
 * quotes that the client sent stay.
 */
function cookieValue(value: string, quoted: boolean): string {
  let clean = ''
  for (const character of value) {
    const code = character.charCodeAt(0)
    if (code >= 0x20 && code < 0x7f && character !== '"' && character !== ';' && character !== '\\') clean += character
  }
  return quoted || clean.includes(' ') || clean.includes(',') ? `"${clean}"` : clean
}
