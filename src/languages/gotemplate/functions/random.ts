import { GoError } from '../errors.ts'
import { type FunctionSpec, type Host, volatile } from './spec.ts'

/** A random integer from 0 to below a bound of at most 2^32, without bias. */
export function randomBelow(bound: number, host: Host): number {
  const usable = Math.floor(2 ** 32 / bound) * bound
  for (;;) {
    const [a = 0, b = 0, c = 0, d = 0] = host.randomBytes(4)
    const value = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d
    if (value < usable) return value % bound
  }
}

/** The elements in random order. */
export function shuffled<T>(elements: T[], host: Host): T[] {
  for (let at = elements.length - 1; at > 0; at--) {
    const other = randomBelow(at + 1, host)
    const held = elements[at] as T
    elements[at] = elements[other] as T
    elements[other] = held
  }
  return elements
}

const digits = '0123456789'
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('')

function randomText(alphabet: string): FunctionSpec {
  return volatile(['int'], ({ host, meter }, [length]) => {
    if ((length as bigint) < 0n) throw new GoError('a length cannot be negative')
    meter.list(Number(length))
    let out = ''
    for (let at = 0; at < Number(length); at++) out += alphabet[randomBelow(alphabet.length, host)]
    return out
  })
}

/** sprig's random values. */
export const random: Readonly<Record<string, FunctionSpec>> = {
  randAlphaNum: randomText(digits + letters),
  randAlpha: randomText(letters),
  randNumeric: randomText(digits),
  randAscii: randomText(ascii),
  randBytes: volatile(['int'], ({ host, meter }, [length]) => {
    if ((length as bigint) < 0n) throw new GoError('a length cannot be negative')
    meter.list(Number(length))
    return Buffer.from(host.randomBytes(Number(length))).toString('base64')
  }),
  randInt: volatile(['int', 'int'], ({ host }, [low, high]) => {
    const range = (high as bigint) - (low as bigint)
    if (range <= 0n || range > 2n ** 32n) throw new GoError('randInt needs a range of 1 to 2^32')
    return (low as bigint) + BigInt(randomBelow(Number(range), host))
  }),
  uuidv4: volatile([], ({ host }) => {
    const bytes = Buffer.from(host.randomBytes(16))
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }),
}
