import { GoError } from '../errors.ts'
import { type Literal, outputTooLong, type Sink } from './sink.ts'
import { assertUniqueKeys, isJsonValue } from './json_text.ts'

/**
 * Where the output stands in JSON's lexical grammar: outside of strings, inside one, behind a backslash,
 * or with some hexadecimal digits of a \u escape to come. Numbers, because they index what literals remember.
 */
const outside = 0
const string = 1
const escape = 2
/** With one digit to come; each one more is one higher. */
const lastDigit = 3
const firstDigit = 6

type State = number

/** What a text does: the state behind it, and what follows the string or value that was open before it. */
interface Transition {
  readonly state: State
  /** A colon (so that was a member's name), something else, or not to be seen yet. */
  readonly follows: 'colon' | 'other' | 'unknown'
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** Reads a text from a state on. */
function advance(text: string, from: State): Transition {
  let state = from
  // once the part that was open has ended: the next character that is no space decides what it was
  let decided: Transition['follows'] = 'unknown'
  let ended = from === outside
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (ended && decided === 'unknown' && !isSpace(code)) decided = code === 0x3a ? 'colon' : 'other'
    if (state === outside) {
      if (code === 0x22) state = string
    } else if (state === string) {
      if (code === 0x5c) state = escape
      else if (code === 0x22) {
        state = outside
        ended = true
      }
    } else if (state === escape) state = code === 0x75 ? firstDigit : string
    else state = state === lastDigit ? string : state - 1
  }
  return { state, follows: decided }
}

/**
 * Writes JSON whose structure the template's own text decides. What an action puts into a string is escaped for it;
 * what it puts elsewhere must be one JSON value. So no value can end the string it stands in, or add a member.
 */
export class JsonSink implements Sink {
  #out = ''
  #state: State = outside
  /** A value stands in the current string or was the last thing written: a colon behind it makes it a member's name. */
  #mayBeName = false
  #namesFromValues = false
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  literal(literal: Literal): void {
    const { transitions } = literal
    const transition = (transitions[this.#state] ??= advance(literal.text, this.#state)) as Transition
    this.#follow(literal.text, transition)
  }

  constant(text: string): void {
    if (this.#state === string) this.value(text)
    else this.#follow(text, advance(text, this.#state))
  }

  value(text: string, encoded = false): void {
    if (this.#state === string) this.#write(escapeForString(text))
    else if (this.#state !== outside) throw new GoError('a value cannot stand in the middle of an escape sequence')
    else if (encoded ? text !== '' : isJsonValue(text)) this.#write(text)
    else {
      throw new GoError(
        'outside of a JSON string, an action must give exactly one JSON value: put quotes around it, or use toJson',
      )
    }
    this.#mayBeName = true
  }

  finish(): string {
    // a name made from a value must not replace a member that is there already
    if (this.#namesFromValues) assertUniqueKeys(this.#out)
    return this.#out
  }

  #follow(text: string, transition: Transition): void {
    if (this.#mayBeName && transition.follows !== 'unknown') {
      if (transition.follows === 'colon') this.#namesFromValues = true
      this.#mayBeName = false
    }
    this.#state = transition.state
    this.#write(text)
  }

  #write(text: string): void {
    this.#out += text
    if (this.#out.length > this.#limit) throw outputTooLong(this.#limit)
  }
}

/** Escapes a text for the inside of a JSON string. Lone surrogates are escaped as well: they survive UTF-8 that way. */
function escapeForString(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code < 0xe000)) {
      return JSON.stringify(text).slice(1, -1)
    }
  }
  return text
}
