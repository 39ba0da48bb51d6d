import { createCipheriv, createDecipheriv, createHmac, scryptSync } from 'node:crypto'
import { GoError } from '../../errors.ts'
import { bcryptHash } from '../../std/bcrypt.ts'
import { fn, type FunctionContext, type FunctionSpec, volatile } from '../spec.ts'

/** The binary logarithm of the number of repetitions, as Go has it unless told otherwise. */
const cost = 10

function bcrypt(password: string, { host, meter }: FunctionContext): string {
  const bytes = Buffer.from(password)
  if (bytes.length > 72) return 'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes'
  meter.slow(1)
  return bcryptHash(bytes, host.randomBytes(16), cost)
}

/** What the letters of the layouts stand for. */
const alphabets = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
} as const

/** The layouts of the algorithm "Master Password", version 3, whose passwords others must be able to derive, too. */
const layouts: Readonly<Record<string, readonly string[]>> = {
  maximum: ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno'],
  long: (
    'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv ' +
    'CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv ' +
    'CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno'
  ).split(' '),
  medium: ['CvcnoCvc', 'CvcCvcno'],
  short: ['Cvcn'],
  basic: ['aaanaaan', 'aannaaan', 'aaannaaa'],
  pin: ['nnnn'],
}

const scope = 'com.lyndir.masterpassword'

function derivePassword(counter: bigint, type: string, password: string, user: string, site: string): string {
  const choices = Object.hasOwn(layouts, type) ? layouts[type] : undefined
  if (choices === undefined) return `cannot find password template ${type}`
  const salt = Buffer.concat([Buffer.from(scope), prefixed(user)])
  const key = scryptSync(password, salt, 64, { N: 32_768, r: 8, p: 2, maxmem: 64 * 1024 * 1024 })
  const seed = createHmac('sha256', key)
    .update(scope)
    .update(prefixed(site))
    .update(uint32(Number(BigInt.asUintN(32, counter))))
    .digest()
  const layout = choices[seed[0]! % choices.length]!
  return Array.from(layout, (letter, index) => {
    const alphabet = alphabets[letter as keyof typeof alphabets]
    return alphabet.charAt(seed[index + 1]! % alphabet.length)
  }).join('')
}

const prefixed = (text: string): Buffer => Buffer.concat([uint32(Buffer.byteLength(text)), Buffer.from(text)])

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** The password's first 32 bytes, filled up with zeros: as sprig has it, and as whoever decrypts expects it. */
function aesKey(password: string): Buffer {
  const key = Buffer.alloc(32)
  Buffer.from(password).copy(key)
  return key
}

function encryptAES(password: string, plain: string, { host }: FunctionContext): string {
  if (plain === '') return ''
  const start = host.randomBytes(16)
  const cipher = createCipheriv('aes-256-cbc', aesKey(password), start)
  return Buffer.concat([start, cipher.update(plain), cipher.final()]).toString('base64')
}

function decryptAES(password: string, encrypted: string): string {
  if (encrypted === '') return ''
  const bytes = Buffer.from(encrypted, 'base64')
  try {
    const cipher = createDecipheriv('aes-256-cbc', aesKey(password), bytes.subarray(0, 16))
    return Buffer.concat([cipher.update(bytes.subarray(16)), cipher.final()]).toString()
  } catch {
    throw new GoError('the text cannot be decrypted with this password')
  }
}

/** sprig's functions that take long, or work with passwords that stand in the template. */
export const passwords: Readonly<Record<string, FunctionSpec>> = {
  bcrypt: volatile(['string'], (context, [password]) => bcrypt(password as string, context)),
  htpasswd: volatile(['string', 'string'], (context, [user, password]) =>
    (user as string).includes(':')
      ? `invalid username: ${user as string}`
      : `${user as string}:${bcrypt(password as string, context)}`,
  ),
  derivePassword: fn(['int', 'string', 'string', 'string', 'string'], ({ meter }, [counter, ...texts]) => {
    meter.slow(2)
    return derivePassword(counter as bigint, ...(texts as [string, string, string, string]))
  }),
  encryptAES: volatile(['string', 'string'], (context, [password, plain]) =>
    encryptAES(password as string, plain as string, context),
  ),
  decryptAES: fn(['string', 'string'], (_, [password, encrypted]) =>
    decryptAES(password as string, encrypted as string),
  ),
}
