import { stringEnd } from './text.ts'

/** One `name:path` of a multipath; the name is '' when it is not given. */
export interface Selector {
  readonly name: string
  readonly path: string
}

/** `{name:path,...}` or `[path,...]` at the start of a text. @returns undefined when it does not end */
export function parseSelectors(text: string): { selectors: readonly Selector[]; rest: string } | undefined {
  const selectors: Selector[] = []
  let inModifier = false
  let colon = 0
  let depth = 1
  let start = 1
  const push = (end: number): void => {
    const name = colon === 0 ? '' : text.slice(start, colon)
    selectors.push({ name, path: text.slice(colon === 0 ? start : colon + 1, end) })
    colon = 0
    inModifier = false
    start = end + 1
  }
  for (let i = 1; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\\') i++
    else if (character === '@') inModifier ||= '.|'.includes(text.charAt(i - 1))
    else if (character === ':') colon = !inModifier && colon === 0 && depth === 1 ? i : colon
    else if (character === ',' && depth === 1) push(i)
    else if (character === '"') i = stringEnd(text, i)
    else if (character === '[' || character === '(' || character === '{') depth++
    else if ((character === ']' || character === ')' || character === '}') && --depth === 0) {
      push(i)
      return { selectors, rest: text.slice(i + 1) }
    }
  }
  return undefined
}

/** The name a selector without one goes by: the last component of its path, `_` when that is no plain name. */
export function selectorName(path: string): string {
  let last = path
  for (let i = path.length - 1; i >= 0; i--) {
    const character = path.charAt(i)
    if ((character === '|' || character === '.') && path.charAt(i - 1) !== '\\') {
      last = path.slice(i + 1)
      break
    }
  }
  for (const character of last) if (character < ' ' || '[]{}()#|!'.includes(character)) return '_'
  return last
}
