/**
 * What the language needs to know of Unicode: named properties, word characters, white space, lower case.
 * The engine's own property tables are read one page of 256 code points at a time, when first asked for, so that a
 * match costs an array lookup per character and never runs a JavaScript RegExp over the input.
 */
export type CodePointTest = (code: number) => boolean

const PAGE_BITS = 8
const PAGE_SIZE = 1 << PAGE_BITS

function paged(matches: CodePointTest): CodePointTest {
  const pages: (Uint8Array | undefined)[] = []
  return (code) => {
    const number = code >> PAGE_BITS
    let page = pages[number]
    if (page === undefined) {
      page = new Uint8Array(PAGE_SIZE)
      const first = number << PAGE_BITS
      for (let i = 0; i < PAGE_SIZE; i++) page[i] = matches(first + i) ? 1 : 0
      pages[number] = page
    }
    return page[code & (PAGE_SIZE - 1)] === 1
  }
}

const CATEGORIES = new Set(
  'C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs'.split(' '),
)

const BINARY_PROPERTIES = new Set(
  (
    'ASCII_Hex_Digit Bidi_Control Dash Deprecated Diacritic Extender Hex_Digit IDS_Binary_Operator ' +
    'IDS_Trinary_Operator Ideographic Join_Control Logical_Order_Exception Noncharacter_Code_Point Pattern_Syntax ' +
    'Pattern_White_Space Quotation_Mark Radical Regional_Indicator Sentence_Terminal Soft_Dotted ' +
    'Terminal_Punctuation Unified_Ideograph Variation_Selector White_Space'
  ).split(' '),
)

const properties = new Map<string, CodePointTest>()

/**
 * The test for a general category (`Lu`), script (`Greek`) or binary property (`White_Space`), by its exact name.
 * @returns undefined when no such property is known
 */
export function unicodeProperty(name: string): CodePointTest | undefined {
  const known = properties.get(name)
  if (known !== undefined) return known
  const expression = propertyExpression(name)
  if (expression === undefined) return undefined
  const test = paged((code) => expression.test(String.fromCodePoint(code)))
  properties.set(name, test)
  return test
}

function propertyExpression(name: string): RegExp | undefined {
  if (CATEGORIES.has(name)) return new RegExp(`^\\p{gc=${name}}$`, 'u')
  if (BINARY_PROPERTIES.has(name)) return new RegExp(`^\\p{${name}}$`, 'u')
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) return undefined
  try {
    return new RegExp(`^\\p{Script=${name}}$`, 'u')
  } catch {
    return undefined
  }
}

const WORD = /^[\p{L}\p{Mn}\p{Nd}\p{Pc}\u200c\u200d]$/u

/** `\w`: letters, non-spacing marks, decimal digits, connectors, and the two zero-width joiners. */
export const isWord: CodePointTest = paged((code) => WORD.test(String.fromCodePoint(code)))

/** `\s`: the White_Space property. It has U+0085 and lacks U+FEFF, unlike JavaScript's own `\s`. */
export const isSpace: CodePointTest = paged((code) => /^\p{White_Space}$/u.test(String.fromCodePoint(code)))

/** The simple (one to one) lower-case mapping. */
export function toLower(code: number): number {
  if (code < 0x80) return code >= 0x41 && code <= 0x5a ? code + 32 : code
  // The only letter whose full mapping is longer than one code point.
  if (code === 0x130) return 0x69
  return String.fromCodePoint(code).toLowerCase().codePointAt(0) ?? code
}

const LAST_CASED = 0x1efff
let pairs: readonly (readonly [upper: number, lower: number])[] | undefined

/** The Ohm, Kelvin and Angstrom signs, letters only by compatibility: `(?i)[^\x00-\x7f]` must not let in an ASCII `k`. */
const LETTERLIKE = new Set([0x2126, 0x212a, 0x212b])

/** The code points that are not their own lower case, with their lower case. Computed when first needed. */
export function casePairs(): readonly (readonly [upper: number, lower: number])[] {
  if (pairs === undefined) {
    const found: [number, number][] = []
    for (let code = 0; code <= LAST_CASED; code++) {
      const lower = toLower(code)
      if (lower !== code && !LETTERLIKE.has(code)) found.push([code, lower])
    }
    pairs = found
  }
  return pairs
}
