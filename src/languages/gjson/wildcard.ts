const ANY_RUN = -1
const ANY_ONE = -2
const NOTHING = -3

/**
 * Compiles a pattern in which `*` is any run of characters, `?` any one, and `\` takes the next one as it is.
 * @returns the test for a whole text; its work is bounded by the product of the two lengths
 */
export function compileWildcard(pattern: string): (text: string) => boolean {
  const tokens = tokenize(pattern)
  return (text) => {
    const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0)
    let at = 0
    let token = 0
    // Where to go on when the run last seen has to take one more character.
    let runToken = -1
    let runAt = 0
    while (at < codes.length) {
      const wanted = tokens[token]
      if (wanted === ANY_RUN) {
        runToken = ++token
        runAt = at
      } else if (wanted === ANY_ONE || wanted === codes[at]) {
        at++
        token++
      } else if (runToken >= 0) {
        token = runToken
        at = ++runAt
      } else {
        return false
      }
    }
    while (tokens[token] === ANY_RUN) token++
    return token === tokens.length
  }
}

function tokenize(pattern: string): readonly number[] {
  const tokens: number[] = []
  let escaped = false
  for (const character of pattern) {
    if (!escaped && character === '\\') {
      escaped = true
      continue
    }
    if (escaped || (character !== '*' && character !== '?')) tokens.push(character.codePointAt(0) ?? 0)
    else tokens.push(character === '*' ? ANY_RUN : ANY_ONE)
    escaped = false
  }
  if (escaped) tokens.push(NOTHING)
  return tokens
}
