/** Keys and clients' tokens for one run; made anew each time, so that none lies in the repository. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { importJWK, SignJWT, type JWK } from 'jose'
import type { Material } from './scenario.ts'

interface Keys {
  readonly private: JWK
  readonly public: JWK
}

function asymmetric(kid: string, alg: 'RS256' | 'PS256' | 'ES256' | 'EdDSA'): Keys {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const named = (jwk: object): JWK => ({ ...jwk, kid, alg, use: 'sig' })
  return {
    private: named(pair.privateKey.export({ format: 'jwk' })),
    public: named(pair.publicKey.export({ format: 'jwk' })),
  }
}

const tokenKinds = [
  'plain',
  'scoped',
  'audience',
  'expired',
  'future',
  'no-kid',
  'unknown-kid',
  'es',
  'ps',
  'hs',
  'none',
  'tampered',
  'numbers',
] as const

/** Writes key sets into a folder and signs tokens with them. */
export async function makeMaterial(folder: string, origins: Material['origins']): Promise<Material> {
  const rs = asymmetric('client-rs', 'RS256')
  const ps = asymmetric('client-ps', 'PS256')
  const es = asymmetric('client-es', 'ES256')
  const secret: JWK = {
    kty: 'oct',
    k: randomBytes(64).toString('base64url'),
    kid: 'client-hs',
    alg: 'HS256',
    use: 'sig',
  }
  const write = (name: string, keys: readonly JWK[]): string => {
    const file = path.join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ keys }))
    return `file://${file}`
  }
  const own = {
    rs: asymmetric('own-rs', 'RS256'),
    es: asymmetric('own-es', 'ES256'),
    ed: asymmetric('own-ed', 'EdDSA'),
    second: asymmetric('own-second', 'RS256'),
  }
  return {
    origins,
    signingKeys: [
      write('sign-rs', [own.rs.private]),
      write('sign-es', [own.es.private]),
      write('sign-ed', [own.ed.private]),
      write('sign-pair', [
        { ...own.rs.public, kid: 'public-kid' },
        { ...own.rs.private, kid: 'private-kid' },
      ]),
      write('sign-several', [own.rs.private, own.second.private]),
      write('sign-secret', [{ ...secret, kid: 'own-hs' }]),
      write('sign-public-only', [own.rs.public]),
    ],
    verificationKeys: [
      write('verify-all', [rs.public, ps.public, es.public, secret]),
      write('verify-es', [es.public]),
      write('verify-private', [rs.private, es.private]),
    ],
    tokens: Object.fromEntries(
      await Promise.all(tokenKinds.map(async (kind) => [kind, await makeToken(kind, { rs, ps, es, secret })])),
    ),
  }
}

async function makeToken(
  kind: (typeof tokenKinds)[number],
  { rs, ps, es, secret }: { readonly rs: Keys; readonly ps: Keys; readonly es: Keys; readonly secret: JWK },
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const claims: Record<string, unknown> = { sub: `token-${kind}`, iss: 'https://issuer.test/', exp: now + 3600 }
  const jwk = { es: es.private, ps: ps.private, hs: secret }[kind as string] ?? rs.private
  const header: { alg: string; kid?: string } = { alg: jwk.alg!, kid: jwk.kid! }
  if (kind === 'scoped') Object.assign(claims, { scope: 'read read.x', role: 'editor' })
  if (kind === 'audience') Object.assign(claims, { aud: ['one', 'two'], scp: ['read', 'write'] })
  if (kind === 'expired') claims['exp'] = now - 60
  if (kind === 'future') claims['nbf'] = now + 600
  if (kind === 'numbers')
    Object.assign(claims, {
      iat: now - 5,
      count: 1_657_000_000,
      ratio: 0.5,
      list: [1, 'b'],
      nested: { city: 'Bonn' },
      scopes: ['read'],
    })
  if (kind === 'no-kid') delete header.kid
  if (kind === 'unknown-kid') header.kid = 'nobody'
  const signed = await new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(jwk, jwk.alg))
  if (kind === 'tampered') return `${signed.slice(0, -6)}AAAAAA`
  if (kind === 'none')
    return `${Buffer.from('{"alg":"none","kid":"client-rs"}').toString('base64url')}.${signed.split('.')[1]}.`
  return signed
}
