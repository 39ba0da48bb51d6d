import { GoError } from '../errors.ts'

/** Whether a text is exactly one JSON value. */
export function isJsonValue(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * Refuses a JSON text in which an object has two members of the same name, however they are escaped.
 * A text that is not JSON passes: whoever parses it will refuse it.
 * @throws GoError
 */
export function assertUniqueKeys(json: string): void {
  // the names seen in each open object; undefined for an open array
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case '{':
        open.push(new Set())
        break
      case '[':
        open.push(undefined)
        break
      case '}':
      case ']':
        open.pop()
        break
      case '"': {
        const end = endOfString(json, at)
        const names = open.at(-1)
        if (names !== undefined && isName(json, end)) addName(names, json.slice(at, end))
        at = end - 1
        break
      }
      case undefined:
      default:
        break
    }
  }
}

function addName(names: Set<string>, literal: string): void {
  if (!isJsonValue(literal)) return
  const name = JSON.parse(literal) as string
  if (names.has(name)) throw new GoError('a value gives a member the name of another member of the same object')
  names.add(name)
}

function endOfString(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return Math.min(at + 1, json.length)
}

function isName(json: string, end: number): boolean {
  let at = end
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at++
  return json[at] === ':'
}
