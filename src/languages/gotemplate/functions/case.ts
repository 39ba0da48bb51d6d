import { shuffled } from './random.ts'
import { fn, type FunctionSpec, volatile } from './spec.ts'
import { isSpace, isUpper, toLower, toUpper } from './text.ts'
import { connectWords, pascalCase } from './words.ts'

function swapCase(value: string): string {
  let out = ''
  for (const char of value) out += isUpper(char) ? toLower(char) : toUpper(char)
  return out
}

function uncapitalize(value: string): string {
  let out = ''
  let starts = true
  for (const char of value) {
    out += starts ? toLower(char) : char
    starts = isSpace(char)
  }
  return out
}

function initials(value: string): string {
  let out = ''
  let starts = true
  for (const char of value) {
    if (isSpace(char)) starts = true
    else if (starts) {
      out += char
      starts = false
    }
  }
  return out
}

/** Shortens to a width with an ellipsis, from `offset` on when that is far in. */
function abbreviate(value: string, offset: number, width: number): string {
  const { length } = value
  if (value === '' || length <= width || width < 4) return value
  let from = Math.min(offset, length)
  if (length - from < width - 3) from = length - (width - 3)
  if (from <= 4) return `${value.slice(0, width - 3)}...`
  if (width < 7) return value
  if (from + width - 3 < length) return `...${abbreviate(value.slice(from), 0, width - 3)}`
  return `...${value.slice(length - (width - 3))}`
}

/** Breaks a text at spaces into lines of a width. */
function wrap(value: string, width: number, newLine: string, breakWords: boolean): string {
  const lineBreak = newLine === '' ? '\n' : newLine
  const columns = Math.max(width, 1)
  let out = ''
  let at = 0
  while (value.length - at > columns) {
    if (value[at] === ' ') {
      at++
      continue
    }
    const space = value.lastIndexOf(' ', at + columns)
    if (space >= at) {
      out += value.slice(at, space) + lineBreak
      at = space + 1
    } else if (breakWords) {
      out += value.slice(at, at + columns) + lineBreak
      at += columns
    } else {
      const end = value.indexOf(' ', at + columns)
      if (end === -1) break
      out += value.slice(at, end) + lineBreak
      at = end + 1
    }
  }
  return out + value.slice(at)
}

/** sprig's functions that change a text's case, or its length to fit. */
export const caseFunctions: Readonly<Record<string, FunctionSpec>> = {
  snakecase: fn(['string'], (_, [name]) => connectWords(name as string, '_')),
  kebabcase: fn(['string'], (_, [name]) => connectWords(name as string, '-')),
  camelcase: fn(['string'], (_, [name]) => pascalCase(name as string)),
  swapcase: fn(['string'], (_, [value]) => swapCase(value as string)),
  untitle: fn(['string'], (_, [value]) => uncapitalize(value as string)),
  initials: fn(['string'], (_, [value]) => initials(value as string)),
  abbrev: fn(['int', 'string'], (_, [width, value]) => abbreviate(value as string, 0, Number(width))),
  abbrevboth: fn(['int', 'int', 'string'], (_, [left, right, value]) => {
    const [offset, width] = [Number(left), Number(right)]
    if (width < 4 || (offset > 0 && width < 7)) return value
    return abbreviate(value as string, offset, width)
  }),
  wrap: fn(['int', 'string'], ({ meter }, [width, value]) => {
    meter.spend((value as string).length >>> 3)
    return wrap(value as string, Number(width), '', false)
  }),
  wrapWith: fn(['int', 'string', 'string'], ({ meter }, [width, newLine, value]) => {
    const lines = Math.ceil((value as string).length / Math.max(Number(width), 1))
    meter.spend((value as string).length >>> 3)
    meter.chars((value as string).length + lines * (newLine as string).length)
    return wrap(value as string, Number(width), newLine as string, true)
  }),
  shuffle: volatile(['string'], ({ host }, [value]) => shuffled(Array.from(value as string), host).join('')),
}
