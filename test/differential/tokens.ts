/** Signed tokens in comparable form: what they say, without what is new in each. */
import { sorted } from './json.ts'

const compactJws = /[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g
const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

/** Replaces each signed token in a text by its header and claims; times that a gateway made become their shape. */
export function readableTokens(text: string): string {
  return text.replace(compactJws, (token) => {
    const [header, claims] = token.split('.').map(decode)
    if (header === undefined || claims === undefined) return token
    return `jwt(${ordered(header)} ${ordered(shape(claims))})`
  })
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Only tokens with a random `jti` are a gateway's; a client's own stay as they are. */
function shape(claims: Record<string, unknown>): Record<string, unknown> {
  const { jti, iat, nbf, exp } = claims
  if (typeof jti !== 'string' || !uuid.test(jti) || typeof iat !== 'number' || typeof exp !== 'number') return claims
  const fresh = Number.isInteger(iat) && Math.abs(Date.now() / 1000 - iat) < 120
  return { ...claims, jti: 'uuid', iat: fresh ? 'now' : iat, nbf: nbf === iat ? 'iat' : nbf, exp: `iat+${exp - iat}` }
}

const ordered = (value: unknown): string => JSON.stringify(sorted(value))
