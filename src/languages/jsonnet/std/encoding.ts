import { createHash } from 'node:crypto'
import { Fault } from '../errors.ts'
import type { Run } from '../runtime/run.ts'
import { typeName } from '../runtime/types.ts'
import { force, isArray, type Value } from '../runtime/values.ts'
import { array, string, value } from './args.ts'
import { type Members, native } from './spec.ts'

const hash = (algorithm: string): Value =>
  native([algorithm === 'md5' ? 's' : 'str'], (args, run) => {
    return createHash(algorithm)
      .update(string(args, 0, run))
      .digest('hex')
  })

/** The bytes of a list, or of a string without characters beyond U+00FF, which go-jsonnet then takes as UTF-8 all the same. */
function bytesOf(given: Value, run: Run): Uint8Array {
  if (typeof given !== 'string' && !isArray(given)) {
    throw new Fault(`base64 can only base64 encode strings / arrays of single bytes, got ${typeName(given)}`)
  }
  run.allocate(given.length)
  if (typeof given === 'string' && /^[\0-\xff]*$/.test(given)) return Buffer.from(given)
  run.spend(given.length)
  const codes = typeof given === 'string' ? Array.from(given, (char) => char.codePointAt(0) ?? 0) : given
  return Uint8Array.from(codes, (slot) => {
    const code = force(slot, run)
    if (typeof code !== 'number') {
      throw new Fault(`base64 encountered a non-integer value in the array, got ${typeName(code)}`)
    }
    if (!Number.isInteger(code) || code < 0 || code > 255) {
      throw new Fault(`base64 encountered invalid codepoint value in the array (must be 0 <= X <= 255), got ${code}`)
    }
    return code
  })
}

function decode(text: Value, name: string, run: Run): Buffer {
  if (typeof text !== 'string') throw new Fault(`${name} requires a string, got ${typeName(text)}`)
  if (text.length % 4 !== 0) {
    throw new Fault(`input string appears not to be a base64 encoded string. Wrong length found (${text.length})`)
  }
  const bad = text.search(/[^A-Za-z0-9+/=]|=(?!=?$)/)
  if (bad !== -1) throw new Fault(`failed to decode: illegal base64 data at input byte ${bad}`)
  run.allocate(text.length)
  return Buffer.from(text, 'base64')
}

export const encoding: Members = {
  md5: hash('md5'),
  sha1: hash('sha1'),
  sha256: hash('sha256'),
  sha512: hash('sha512'),
  sha3: native(['str'], (args, run) =>
    createHash('sha3-512')
      .update(string(args, 0, run))
      .digest('hex'),
  ),
  base64: native(['input'], (args, run) => Buffer.from(bytesOf(value(args, 0, run), run)).toString('base64')),
  base64Decode: native(['str'], (args, run) => decode(value(args, 0, run), 'base64Decode', run).toString()),
  base64DecodeBytes: native(['str'], (args, run) => [...decode(value(args, 0, run), 'base64DecodeBytes', run)]),
  encodeUTF8: native(['str'], (args, run) => {
    const bytes = Buffer.from(string(args, 0, run))
    run.allocate(bytes.length)
    return [...bytes]
  }),
  decodeUTF8: native(['arr'], (args, run) => {
    const bytes = array(args, 0, run).map((slot) => {
      run.spend(1)
      const byte = force(slot, run)
      if (typeof byte !== 'number' || !Number.isInteger(byte) || byte < 0 || byte > 255) {
        throw new Fault('decodeUTF8 takes an array of bytes')
      }
      return byte
    })
    return Buffer.from(bytes).toString('utf8')
  }),
}
