import { randomBytes, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { algorithms } from './algorithms.ts'
import { KeyProblem } from './key.ts'

export interface GenerateOptions {
  /** JWS algorithm: HS, RS, PS, ES with 256, 384 or 512, or EdDSA. */
  readonly alg: string
  readonly kid?: string | undefined
  /** Size of the key; 0 or absent for the usual size of the algorithm. */
  readonly bits?: number | undefined
}

/**
 * Makes a key set of one private (or symmetric) key, as `credentials generate` prints it; its kid is a random UUID unless
 * given. Sizes and messages follow Oathkeeper's. Throws KeyProblem for an algorithm or a size that does not exist.
 */
export async function generateKeySet({ kid = randomUUID(), ...options }: GenerateOptions): Promise<{ keys: [JWK] }> {
  return { keys: [await generateKey({ ...options, kid })] }
}

/**
 * Makes a private (or symmetric) key. Its kid is its RFC 7638 thumbprint unless given, so that the same key has the same
 * name wherever it goes. Throws KeyProblem.
 */
export async function generateKey({ alg, kid, bits = 0 }: GenerateOptions): Promise<JWK> {
  const material = await generateMaterial(alg, bits)
  return { use: 'sig', kid: kid ?? (await calculateJwkThumbprint(material)), alg, ...material }
}

async function generateMaterial(alg: string, bits: number): Promise<JWK> {
  const algorithm = algorithms.get(alg)
  if (algorithm === undefined) {
    throw new KeyProblem(`unknown algorithm ${JSON.stringify(alg)}; known are ${[...algorithms.keys()].join(', ')}`)
  }
  if (algorithm.kty === 'oct') {
    // 1024 bits for HS512, as Oathkeeper makes them: twice the hash, at no cost.
    const size = bits === 0 ? Math.max(algorithm.bits, alg === 'HS512' ? 1024 : 0) : bits
    checkSize(size, algorithm.bits)
    return { kty: 'oct', k: randomBytes(size / 8).toString('base64url') }
  }
  if (algorithm.kty === 'RSA') {
    const size = bits === 0 ? 2048 : bits
    checkSize(size, algorithm.bits)
    const { privateKey } = await generateKeyPair(alg, { modulusLength: size, extractable: true })
    return exportJWK(privateKey)
  }
  if (bits !== 0 && bits !== algorithm.bits) {
    throw new KeyProblem(`jwksx: "${alg}" does not support arbitrary key length`)
  }
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  return exportJWK(privateKey)
}

/** An RSA key larger than this takes minutes to make and milliseconds to use. */
const mostBits = 16_384

function checkSize(bits: number, least: number): void {
  if (!Number.isInteger(bits) || bits < least) throw new KeyProblem(`key size must be at least ${least} bit`)
  if (bits % 8 !== 0) throw new KeyProblem('key size must be a multiple of 8')
  if (bits > mostBits) throw new KeyProblem(`key size must be at most ${mostBits} bit`)
}
