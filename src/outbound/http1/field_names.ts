/** Names of fields: what they may consist of, and what is worth knowing of them once per spelling. */
import { tokenByte } from './characters.ts'

/** Whether it is a token (RFC 9110 section 5.6.2), as methods and names of fields are. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenByte[text.charCodeAt(i)] !== 1) return false
  return text.length > 0
}

// Who invents names must not fill the memory; past the limit the table starts anew.
const most = 4096
const longest = 64

/** As `describe`, which is asked once per spelling: the same few hundred come with every message. */
export function perSpelling<Known extends object | string>(
  describe: (spelling: string) => Known,
): (spelling: string) => Known {
  const known = new Map<string, Known>()
  return (spelling) => {
    const found = known.get(spelling)
    if (found !== undefined) return found
    const described = describe(spelling)
    if (spelling.length <= longest) {
      if (known.size >= most) known.clear()
      known.set(spelling, described)
    }
    return described
  }
}
