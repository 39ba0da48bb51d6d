/**
 * bcrypt (Provos and Mazières, "A Future-Adaptable Password Scheme", USENIX 1999), which Node.js does not have: the cipher
 * Blowfish with a key schedule that takes long on purpose.
 */

/** Blowfish begins with the digits of π behind the point: 18 words for the rounds, 1024 for four tables. */
const roundWords = 18
const tableWords = 1024

/** Takes a password of at most 72 bytes, 16 random bytes, and the binary logarithm of the number of repetitions. */
export function bcryptHash(password: Buffer, salt: Uint8Array, cost: number): string {
  const cipher = new Blowfish()
  const key = wordsOf(Buffer.concat([password, Buffer.of(0)]))
  const salted = wordsOf(salt)
  cipher.expand(key, salted)
  for (let round = 0; round < 2 ** cost; round++) {
    cipher.expand(key)
    cipher.expand(salted)
  }
  const text = Buffer.from('OrpheanBeholderScryDoubt')
  const out = Buffer.alloc(24)
  for (let at = 0; at < 24; at += 8) {
    let [left, right] = [text.readInt32BE(at), text.readInt32BE(at + 4)]
    for (let times = 0; times < 64; times++) {
      cipher.encrypt(left, right)
      ;({ left, right } = cipher)
    }
    out.writeInt32BE(left, at)
    out.writeInt32BE(right, at + 4)
  }
  // The last byte is left out by everybody, because the first implementation did.
  return `$2a$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(out.subarray(0, 23))}`
}

class Blowfish {
  /** What `encrypt` has made. */
  left = 0
  right = 0
  readonly #rounds: Int32Array
  readonly #table: Int32Array

  constructor() {
    digitsOfPi ??= fractionOfPi(roundWords + tableWords)
    this.#rounds = digitsOfPi.slice(0, roundWords)
    this.#table = digitsOfPi.slice(roundWords)
  }

  /** Mixes a key into the state, and with it a salt; without one the state alone. */
  expand(key: Int32Array, salt?: Int32Array): void {
    for (let at = 0; at < roundWords; at++) this.#rounds[at]! ^= key[at % key.length]!
    this.left = 0
    this.right = 0
    let taken = 0
    for (const words of [this.#rounds, this.#table]) {
      for (let at = 0; at < words.length; at += 2) {
        const [left, right] = salt === undefined ? [0, 0] : [salt[taken % 4]!, salt[(taken + 1) % 4]!]
        taken += 2
        this.encrypt(this.left ^ left, this.right ^ right)
        words[at] = this.left
        words[at + 1] = this.right
      }
    }
  }

  encrypt(first: number, second: number): void {
    const rounds = this.#rounds
    const table = this.#table
    let left = first ^ rounds[0]!
    let right = second
    for (let round = 1; round <= 16; round += 2) {
      right ^= mixed(table, left) ^ rounds[round]!
      left ^= mixed(table, right) ^ rounds[round + 1]!
    }
    this.left = right ^ rounds[17]!
    this.right = left
  }
}

const mixed = (table: Int32Array, word: number): number =>
  (((table[word >>> 24]! + table[256 + ((word >>> 16) & 255)]!) ^ table[512 + ((word >>> 8) & 255)]!) +
    table[768 + (word & 255)]!) |
  0

/** Of a key shorter than the state its bytes go round: as many words as that takes until they begin again. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(bytes.length % 4 === 0 ? bytes.length / 4 : bytes.length)
  for (let at = 0; at < words.length; at++) {
    for (let byte = 0; byte < 4; byte++) words[at] = (words[at]! << 8) | bytes[(at * 4 + byte) % bytes.length]!
  }
  return words
}

let digitsOfPi: Int32Array | undefined

/** The first binary digits of π behind the point, by John Machin's formula π/4 = 4 arctan 1/5 - arctan 1/239. */
function fractionOfPi(words: number): Int32Array {
  const bits = BigInt(words * 32)
  const spare = 64n
  const one = 1n << (bits + spare)
  const arctanOfInverse = (n: bigint): bigint => {
    let power = one / n
    let sum = power
    for (let odd = 3n, sign = -1n; power > 0n; odd += 2n, sign = -sign) {
      power /= n * n
      sum += (sign * power) / odd
    }
    return sum
  }
  const pi = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n))
  const fraction = Buffer.from(
    BigInt.asUintN(Number(bits), pi >> spare)
      .toString(16)
      .padStart(words * 8, '0'),
    'hex',
  )
  return Int32Array.from({ length: words }, (_, at) => fraction.readInt32BE(at * 4))
}

const standard = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const own = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Base64 with an alphabet of its own, without padding. */
const encode = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('base64')
    .replace(/=+$/, '')
    .replaceAll(/./g, (char) => own.charAt(standard.indexOf(char)))
