import type { JsonObject } from '../../pipeline/contract/values.ts'
import { parseStrictObject } from './strict_json.ts'

/** A token that has been read, not verified. */
export interface CompactJws {
  readonly alg: string
  readonly kid: string
  readonly payload: Uint8Array
}

/** Characters. A request's header section has hardly more, and no byte of a longer token is looked at. */
const MAX_LENGTH = 16 * 1024

/** Whether a text has the shape of a signed JWT: three parts. Opaque tokens and JWEs (five parts) are for other handlers. */
export function hasThreeParts(token: string): boolean {
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  return first !== -1 && second !== -1 && !token.includes('.', second + 1)
}

/**
 * Reads a JWS in compact serialisation (RFC 7515 section 7.1). Stricter than the RFC asks: a token has exactly one spelling
 * and its header one meaning. Gives a text, without any of the token in it, for what is wrong.
 */
export function readCompactJws(token: string): CompactJws | string {
  if (token.length > MAX_LENGTH) return `the token has more than ${MAX_LENGTH} characters`
  const [headerPart = '', payloadPart = '', signature = '', ...more] = token.split('.')
  const headerBytes = decode(headerPart)
  const payload = decode(payloadPart)
  if (more.length > 0 || headerBytes === undefined || payload === undefined || decode(signature) === undefined) {
    return 'a part of the token is not base64url without padding'
  }
  const header = parseStrictObject(headerBytes)
  if (header === undefined) return 'the header of the token is not an unambiguous JSON object'
  const { alg, kid } = header
  if (typeof alg !== 'string') return 'the header of the token names no algorithm'
  if (typeof kid !== 'string' || kid === '') return 'the header of the token names no key ("kid")'
  // No extension is understood here, so none may be critical (RFC 7515 section 4.1.11); b64=false is one of them.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64'))
    return 'the header of the token asks for an extension'
  return { alg, kid, payload }
}

/** The claims set of a JWT (RFC 7519 section 4); or a text, as above. */
export function readClaims({ payload }: CompactJws): JsonObject | string {
  return parseStrictObject(payload) ?? 'the claims of the token are not an unambiguous JSON object'
}

/** Only the canonical encoding: other characters, padding and stray bits at the end would make a second spelling. */
function decode(part: string): Uint8Array | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}
