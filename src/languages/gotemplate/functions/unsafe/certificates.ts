import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { GoError } from '../../errors.ts'
import { type CertificateRequest, type Issuer, makeCertificate } from '../../std/certificate.ts'
import { integer, partAt, pem, sequence } from '../../std/der.ts'
import { GoStruct, structType } from '../../values/struct.ts'
import { type GoValue, isList, isNothing } from '../../values/value.ts'
import { type FunctionContext, type FunctionSpec, volatile } from '../spec.ts'

interface Certificate {
  readonly cert: string
  readonly key: string
}

const certificateStruct = structType<Certificate>({
  name: 'sprig.certificate',
  fields: { Cert: ({ cert }) => cert, Key: ({ key }) => key },
})

const newKey: Readonly<Record<string, (context: FunctionContext) => KeyObject>> = {
  '': longRsaKey,
  rsa: longRsaKey,
  dsa({ meter }) {
    meter.slow(4)
    return generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey
  },
  ecdsa: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
}

function rsaKey({ meter }: FunctionContext): KeyObject {
  meter.slow(1)
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

function longRsaKey({ meter }: FunctionContext): KeyObject {
  meter.slow(4)
  return generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey
}

/** In the form that is older than PKCS #8, where the kind of key has one. */
function keyPem(key: KeyObject): string {
  const { asymmetricKeyType: type } = key
  if (type === 'dsa') return pem('DSA PRIVATE KEY', traditionalDsa(key))
  const form = type === 'rsa' ? 'pkcs1' : type === 'ec' ? 'sec1' : 'pkcs8'
  return key.export({ type: form, format: 'pem' }).toString()
}

/** Version, p, q, g, public and private key. */
function traditionalDsa(key: KeyObject): Buffer {
  const { content: parameters } = partAt(key.export({ type: 'pkcs8', format: 'der' }), 0, 1, 1)
  const { content: secret } = partAt(key.export({ type: 'pkcs8', format: 'der' }), 0, 2)
  const { content: published } = partAt(createPublicKey(key).export({ type: 'spki', format: 'der' }), 0, 1)
  return sequence(integer(Buffer.of(0)), parameters, published.subarray(1), secret)
}

function parseKey(text: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch {
    throw new GoError('error parsing private key')
  }
}

function parseCertificate(text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch {
    throw new GoError('unable to decode certificate')
  }
}

type Request = Omit<CertificateRequest, 'key' | 'isAuthority'>

function made(request: Request, key: KeyObject, { host }: FunctionContext, issuer?: Issuer | 'none'): GoStruct {
  const isAuthority = issuer === 'none'
  const cert = makeCertificate({ ...request, key, isAuthority }, isAuthority ? undefined : issuer, host)
  return certificateStruct({ cert, key: keyPem(key) })
}

const authorityOf = ([commonName, days]: readonly GoValue[]): Request => ({
  commonName: commonName as string,
  ips: [],
  dnsNames: [],
  days: Number(days),
})

const requestOf = ([commonName, ips, dnsNames, days]: readonly GoValue[]): Request => ({
  commonName: commonName as string,
  ips: texts(ips),
  dnsNames: texts(dnsNames),
  days: Number(days),
})

function texts(value: GoValue): readonly string[] {
  if (isNothing(value)) return []
  if (!isList(value) || !value.every((item) => typeof item === 'string')) {
    throw new GoError('addresses and names of a certificate must be lists of strings')
  }
  return value
}

function issuerOf(value: GoValue): Issuer {
  const source = value instanceof GoStruct ? (value.source as Partial<Certificate>) : {}
  if (source.cert === undefined || source.key === undefined) throw new GoError('a certificate is expected')
  return { certificate: parseCertificate(source.cert), key: parseKey(source.key) }
}

/** sprig's keys and certificates. */
export const certificates: Readonly<Record<string, FunctionSpec>> = {
  genPrivateKey: volatile(['string'], (context, [type]) => {
    const make = Object.hasOwn(newKey, type as string) ? newKey[type as string] : undefined
    return make === undefined ? `Unknown type ${type as string}` : keyPem(make(context))
  }),
  genCA: volatile(['string', 'int'], (context, args) => made(authorityOf(args), rsaKey(context), context, 'none')),
  genCAWithKey: volatile(['string', 'int', 'string'], (context, args) =>
    made(authorityOf(args), parseKey(args[2] as string), context, 'none'),
  ),
  genSelfSignedCert: volatile(['string', 'any', 'any', 'int'], (context, args) =>
    made(requestOf(args), rsaKey(context), context),
  ),
  genSelfSignedCertWithKey: volatile(['string', 'any', 'any', 'int', 'string'], (context, args) =>
    made(requestOf(args), parseKey(args[4] as string), context),
  ),
  genSignedCert: volatile(['string', 'any', 'any', 'int', 'any'], (context, args) =>
    made(requestOf(args), rsaKey(context), context, issuerOf(args[4])),
  ),
  genSignedCertWithKey: volatile(['string', 'any', 'any', 'int', 'any', 'string'], (context, args) =>
    made(requestOf(args), parseKey(args[5] as string), context, issuerOf(args[4])),
  ),
  buildCustomCert: volatile(['string', 'string'], (_, args) => {
    const [cert = '', key = ''] = args.map((text) => Buffer.from(text as string, 'base64').toString())
    parseCertificate(cert)
    parseKey(key)
    return certificateStruct({ cert, key })
  }),
}
