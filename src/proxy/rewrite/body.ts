/** Replaces URLs in a body as it streams through: nothing is held back but what may be the beginning of one. */
import type { IncomingHttpHeaders } from 'node:http'

export interface Replacement {
  /** Beginning of absolute URLs, in ASCII. */
  readonly from: string
  readonly to: string
}

interface Needle {
  readonly from: Buffer
  readonly to: Buffer
}

/** Every needle begins with it, so that one search finds all candidates. */
const SCHEME = 'http'
const NOTHING = Buffer.alloc(0)

export class BodyRewriter {
  readonly #needles: readonly Needle[]
  #held: Buffer = NOTHING

  /** The first replacement that fits counts. */
  constructor(replacements: readonly Replacement[]) {
    this.#needles = replacements.map(({ from, to }) => ({ from: Buffer.from(from), to: Buffer.from(to) }))
  }

  /** What of the body so far can go out. */
  write(chunk: Buffer): Buffer {
    return this.#rewrite(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]), false)
  }

  /** What can go out last, with what was held back after it. */
  end(last: Buffer = NOTHING): Buffer {
    const rest = this.#rewrite(this.#held, true)
    return last.length === 0 ? rest : Buffer.concat([last, rest])
  }

  #rewrite(data: Buffer, whole: boolean): Buffer {
    const parts: Buffer[] = []
    let copied = 0
    let at = data.indexOf(SCHEME)
    while (at !== -1) {
      const found = this.#match(data, at, whole)
      if (found === 'undecided') break
      if (found === undefined) {
        at = data.indexOf(SCHEME, at + SCHEME.length)
        continue
      }
      parts.push(data.subarray(copied, at), found.to)
      copied = at + found.from.length
      at = data.indexOf(SCHEME, copied)
    }
    const decided = whole ? data.length : at === -1 ? data.length - beginningOfScheme(data) : at
    // A copy: the rest of the chunk must not live as long as what is held of it.
    this.#held = decided === data.length ? NOTHING : Buffer.from(data.subarray(decided))
    if (parts.length === 0) return data.subarray(0, decided)
    parts.push(data.subarray(copied, decided))
    return Buffer.concat(parts)
  }

  #match(data: Buffer, at: number, whole: boolean): Needle | 'undecided' | undefined {
    for (const needle of this.#needles) {
      const { length } = needle.from
      const end = Math.min(at + length, data.length)
      if (data.compare(needle.from, 0, end - at, at, end) !== 0) continue
      const next = data[at + length]
      if (next === undefined && !whole) return 'undecided'
      if (end - at === length && (next === undefined || !continuesUrl(next))) return needle
    }
    return undefined
  }
}

/** Bytes at the end that may go on to be a needle. */
function beginningOfScheme(data: Buffer): number {
  for (let length = SCHEME.length - 1; length > 0; length--) {
    if (data.length >= length && data.toString('latin1', data.length - length) === SCHEME.slice(0, length))
      return length
  }
  return 0
}

/** Whether host, port or path segment go on with this byte, so that it is another URL than the one looked for. */
function continuesUrl(byte: number): boolean {
  return /[A-Za-z0-9._~%:@-]/.test(String.fromCharCode(byte))
}

const TEXT = /^(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|xml|javascript)\b)/i

/** Whether the body of an answer with these headers is text as it stands: not encoded, and not one part of several. */
export function isRewritable(headers: IncomingHttpHeaders, status: number): boolean {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
  return status !== 206 && TEXT.test(type) && encoding.toLowerCase() === 'identity'
}
