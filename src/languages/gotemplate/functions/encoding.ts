import { createHash } from 'node:crypto'
import { fn, type FunctionSpec } from './spec.ts'

/** Function from text to text, charged by its length. */
function text(call: (value: string) => string): FunctionSpec {
  return fn(['string'], ({ meter }, [value]) => {
    meter.spend((value as string).length >>> 5)
    return call(value as string)
  })
}

const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function base32Encode(value: string): string {
  let out = ''
  let bits = 0
  let held = 0
  for (const byte of Buffer.from(value, 'utf8')) {
    held = (held << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) out += base32Alphabet[(held >>> (bits - 5)) & 31]
    held &= 0xff
  }
  if (bits > 0) out += base32Alphabet[(held << (5 - bits)) & 31]
  return out + '='.repeat((8 - (out.length % 8)) % 8)
}

// Go's decoders give the error's text as the result, and sprig passes it on

function base32Decode(value: string): string {
  const clean = value.replaceAll(/[\r\n]/g, '')
  const bytes: number[] = []
  let bits = 0
  let held = 0
  let at = 0
  for (; at < clean.length && clean[at] !== '='; at++) {
    const digit = base32Alphabet.indexOf(clean[at] as string)
    if (digit === -1) return `illegal base32 data at input byte ${at}`
    held = ((held << 5) | digit) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push((held >>> bits) & 0xff)
    }
  }
  const padding = [0, -1, 6, -1, 4, 3, -1, 1][at % 8] as number
  if (padding < 0 || clean.slice(at) !== '='.repeat(padding)) return `illegal base32 data at input byte ${at}`
  return Buffer.from(bytes).toString('utf8')
}

function base64Decode(value: string): string {
  const clean = value.replaceAll(/[\r\n]/g, '')
  for (let at = 0; at < clean.length; at++) {
    if (clean[at] === '=' && isPadding(clean, at)) break
    if (!/^[A-Za-z0-9+/]$/.test(clean[at] as string)) return `illegal base64 data at input byte ${at}`
  }
  if (clean.length % 4 !== 0) return `illegal base64 data at input byte ${clean.length - (clean.length % 4)}`
  return Buffer.from(clean, 'base64').toString('utf8')
}

const isPadding = (input: string, at: number): boolean =>
  input.length % 4 === 0 && (at === input.length - 1 || (at === input.length - 2 && input[at + 1] === '='))

const hash =
  (algorithm: string) =>
  (value: string): string =>
    createHash(algorithm).update(value, 'utf8').digest('hex')

function adler32(value: string): string {
  let [low, high] = [1, 0]
  for (const byte of Buffer.from(value, 'utf8')) {
    low = (low + byte) % 65_521
    high = (high + low) % 65_521
  }
  return String(high * 65_536 + low)
}

/** sprig's encodings and checksums. */
export const encoding: Readonly<Record<string, FunctionSpec>> = {
  b64enc: text((value) => Buffer.from(value, 'utf8').toString('base64')),
  b64dec: text(base64Decode),
  b32enc: text(base32Encode),
  b32dec: text(base32Decode),
  sha1sum: text(hash('sha1')),
  sha256sum: text(hash('sha256')),
  sha512sum: text(hash('sha512')),
  adler32sum: text(adler32),
}
