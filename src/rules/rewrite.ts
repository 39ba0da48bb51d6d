/** What a rule says of rewriting its upstream's answers, so that browsers stay on the gateway's own address. */
import { z } from 'zod'

const place = (meaning: string) =>
  z
    .string()
    .refine(isPlace, { error: 'must be an http or https URL without query and fragment, or a path such as /.ory' })
    .describe(meaning)

export const rewriteSchema = z.strictObject({
  urls: z
    .array(
      z.strictObject({
        from: place(
          'Beginning of the URLs that are rewritten, in whole path segments; a path means the gateway’s own URLs.',
        ),
        to: place('What takes its place; a path stays on the address under which the client asked.'),
      }),
    )
    .optional()
    .describe('URLs in `Location`, the first entry that fits counts.'),
  bodies: z
    .boolean()
    .optional()
    .describe(
      'Whether these URLs are rewritten in text, JSON and script bodies, too, as they stream through; the upstream is then asked for uncompressed answers. Default: false.',
    ),
  cookies: z
    .strictObject({
      domain: z
        .string()
        .optional()
        .describe('Domain of the cookies. Default: none, so that only the host that set them gets them.'),
      secure: z
        .enum(['match', 'always'])
        .optional()
        .describe(
          'Whether cookies are Secure as the client’s connection is, or always. One that is not cannot be SameSite=None and becomes Lax. Default: match.',
        ),
    })
    .optional()
    .describe('Gives the cookies that the upstream sets another domain. Default: they pass as they are.'),
})

/** `upstream.rewrite` of a rule. */
export type RuleRewrite = z.output<typeof rewriteSchema>

function isPlace(text: string): boolean {
  if (text.startsWith('/'))
    return !text.startsWith('//') && URL.canParse(text, 'http://gateway') && !/[?#\s]/.test(text)
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === ''
}
