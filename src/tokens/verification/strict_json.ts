/** JSON of tokens. Two readers must not see two different things in what one of them has verified (RFC 8725 section 2.4). */
import type { JsonObject } from '../../pipeline/contract/values.ts'

/** Deeper claims are of no use, and templates walk through them. */
const MAX_DEPTH = 64

/**
 * The object, or undefined for what is not one, repeats a name within an object, has a number that no double can hold, or
 * is nested too deeply. Takes UTF-8.
 */
export function parseStrictObject(bytes: Uint8Array): JsonObject | undefined {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return isUnambiguous(text) ? (value as JsonObject) : undefined
}

/** What JSON.parse leaves unsaid of a text that it has accepted: that scan needs no grammar of its own. */
function isUnambiguous(json: string): boolean {
  // The names of each open object; undefined stands for an open array.
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < json.length; at++) {
    const char = json[at]
    if (char === '{' || char === '[') {
      if (open.length === MAX_DEPTH) return false
      open.push(char === '{' ? new Set() : undefined)
    } else if (char === '}' || char === ']') {
      open.pop()
    } else if (char === '"') {
      const start = at
      at = endOfString(json, at)
      const names = open.at(-1)
      if (names === undefined || !isName(json, at + 1)) continue
      const name = JSON.parse(json.slice(start, at + 1)) as string
      if (names.has(name)) return false
      names.add(name)
    } else if (char === '-' || isDigit(char)) {
      const start = at
      while (isNumberPart(json[at + 1])) at++
      if (!Number.isFinite(Number(json.slice(start, at + 1)))) return false
    }
  }
  return true
}

/** Index of the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at
}

function isName(json: string, after: number): boolean {
  let at = after
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at++
  return json[at] === ':'
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9'
}

function isNumberPart(char: string | undefined): boolean {
  return isDigit(char) || char === '.' || char === 'e' || char === 'E' || char === '+' || char === '-'
}
