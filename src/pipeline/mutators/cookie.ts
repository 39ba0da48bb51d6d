import { z } from 'zod'
import { defineMutator } from '../contract.ts'
import { requestCookies } from '../credentials.ts'
import { compileHeaderTemplate } from '../header_template.ts'

/** Sets request cookies for the upstream from templates; the client's cookies of the same names are replaced, others stay. */
export const cookie = defineMutator({
  name: 'cookie',
  config: z.strictObject({
    cookies: z
      .record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a cookie name'), z.string())
      .describe('Cookie names and Go templates of their values.'),
  }),
  create({ cookies }, setup) {
    const replaced = new Set(Object.keys(cookies))
    // Rebuilding the Cookie header must not bring back what the proxy takes out of it.
    if (setup.safeguards.client_headers === 'drop') for (const name of setup.sessionCookies) replaced.add(name)
    const entries = Object.entries(cookies).map(([name, source]) => ({
      name,
      render: compileHeaderTemplate(source, ['cookies', name], setup),
    }))
    return {
      mutate(exchange) {
        const kept = requestCookies(exchange.inbound).filter(({ name }) => !replaced.has(name))
        const pairs = [...entries.map(({ name, render }) => ({ name, value: render(exchange) })), ...kept]
        return { edits: [['Cookie', pairs.map(({ name, value }) => `${name}=${cookieValue(value)}`).join('; ')]] }
      },
      owns: ['cookie'],
    }
  },
})

/** RFC 6265 section 4.1.1, as Go writes it: what cannot stand in a cookie is left out; spaces and commas need quotes. */
function cookieValue(value: string): string {
  let clean = ''
  for (const character of value) {
    const code = character.charCodeAt(0)
    if (code >= 0x20 && code < 0x7f && character !== '"' && character !== ';' && character !== '\\') clean += character
  }
  return clean.includes(' ') || clean.includes(',') ? `"${clean}"` : clean
}
