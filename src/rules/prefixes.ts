/** With which literal texts a URL has to start, so that a pattern can match it at all: what the index is made of. */
import type { Segment } from './delimiters.ts'

export type MatchingStrategy = 'regexp' | 'glob'

export interface Prefixes {
  /** Every URL that the pattern matches starts with one of these; none of them starts with another one. */
  readonly texts: readonly string[]
  /** Whether the prefixes are all there is: the pattern has no wildcard. */
  readonly complete: boolean
}

/** `<http|https>`, `<https?>` and the like are written out; what would need more than this many texts is not. */
const maxPrefixes = 32

/** Takes the segments of a pattern. */
export function literalPrefixes(segments: readonly Segment[], strategy: MatchingStrategy): Prefixes {
  let texts: readonly string[] = ['']
  for (const segment of segments) {
    const choices = segment.kind === 'literal' ? [segment.text] : literalChoices(segment.text, strategy)
    if (choices === undefined || texts.length * choices.length > maxPrefixes) {
      return { texts: withoutLonger(texts), complete: false }
    }
    texts = texts.flatMap((text) => choices.map((choice) => text + choice))
  }
  return { texts: withoutLonger(texts), complete: true }
}

/** The literal texts that an expression stands for, or undefined when it is more than a choice of literals. */
function literalChoices(expression: string, strategy: MatchingStrategy): readonly string[] | undefined {
  return strategy === 'regexp' ? regexpChoices(expression) : globChoices(expression)
}

function regexpChoices(expression: string): readonly string[] | undefined {
  const choices: string[] = []
  for (const alternative of expression.split('|')) {
    let texts = ['']
    for (let index = 0; index < alternative.length; index++) {
      const char = alternative.charAt(index)
      // A surrogate would be half of what `?` makes optional.
      if ('\\.+*?()[]{}^$'.includes(char) || (char >= '\ud800' && char <= '\udfff')) return undefined
      const longer = texts.map((text) => text + char)
      if (alternative[index + 1] === '?') {
        index++
        texts = [...texts, ...longer]
        if (texts.length > maxPrefixes) return undefined
      } else texts = longer
    }
    choices.push(...texts)
  }
  return choices
}

function globChoices(expression: string): readonly string[] | undefined {
  const braced = expression.startsWith('{') && expression.endsWith('}')
  const inner = braced ? expression.slice(1, -1) : expression
  for (const char of inner) if ('*?[]{}\\'.includes(char)) return undefined
  return braced ? inner.split(',') : [inner]
}

/** Leaves out each text that starts with another one, so that no pattern stands twice on one way through the index. */
function withoutLonger(texts: readonly string[]): readonly string[] {
  const kept: string[] = []
  for (const text of texts.toSorted((a, b) => a.length - b.length)) {
    if (!kept.some((shorter) => text.startsWith(shorter))) kept.push(text)
  }
  return kept
}
