/** ASN.1 values in their distinguished encoding (X.690), as far as keys and certificates need it. */

export const sequence = (...parts: readonly Buffer[]): Buffer => encode(0x30, Buffer.concat(parts))
export const set = (...parts: readonly Buffer[]): Buffer => encode(0x31, Buffer.concat(parts))
export const octets = (content: Buffer): Buffer => encode(0x04, content)
export const text = (content: string): Buffer =>
  encode(/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(content) ? 0x13 : 0x0c, Buffer.from(content))
export const truth = Buffer.of(0x01, 0x01, 0xff)
export const nothing = Buffer.of(0x05, 0x00)

/** A value with a tag of the context's own. */
export const tagged = (tag: number, content: Buffer, constructed = false): Buffer =>
  encode((constructed ? 0xa0 : 0x80) | tag, content)

/** A whole number that is not negative, most significant byte first. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start++
  const significant = bytes.subarray(start)
  return encode(0x02, Buffer.concat([Buffer.alloc((significant[0] ?? 0x80) >= 0x80 ? 1 : 0), significant]))
}

export const bits = (content: Uint8Array, unused = 0): Buffer =>
  encode(0x03, Buffer.concat([Buffer.of(unused), content]))

/** An object identifier, written with dots. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const groups = [part & 0x7f]
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return encode(0x06, Buffer.from(bytes))
}

/** A moment, to the second: with two digits of the year as long as these can be told apart (RFC 5280 section 4.1.2.5). */
export function moment(milliseconds: number): Buffer {
  const digits = `${new Date(milliseconds).toISOString().replaceAll(/[-T:]|\.\d+Z/g, '')}Z`
  return digits < '2050' ? encode(0x17, Buffer.from(digits.slice(2))) : encode(0x18, Buffer.from(digits))
}

function encode(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content])
  const digits = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length), digits, content])
}

/** One value of an encoding: its tag, what it holds, and all its bytes. */
export interface Part {
  readonly tag: number
  readonly content: Buffer
  readonly whole: Buffer
}

/** The values that follow each other in an encoding that is known to be sound. */
export function partsOf(bytes: Buffer): readonly Part[] {
  const parts: Part[] = []
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1] ?? 0
    const digits = short < 0x80 ? 0 : short & 0x7f
    const start = at + 2 + digits
    const length = digits === 0 ? short : bytes.readUIntBE(at + 2, digits)
    const end = start + length
    parts.push({ tag: bytes[at] ?? 0, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return parts
}

/** The value to which a path of positions leads. */
export function partAt(bytes: Buffer, ...path: readonly number[]): Part {
  let part: Part = { tag: 0, content: bytes, whole: bytes }
  for (const position of path) part = partsOf(part.content)[position] ?? part
  return part
}

/** RFC 7468: base64 in lines of 64 characters between two marks. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replaceAll(/.{1,64}/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`
}
