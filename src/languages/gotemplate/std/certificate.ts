/** X.509 certificates (RFC 5280) for a common name, as Go's crypto/x509 makes them. */
import { createPublicKey, hash, type KeyObject, sign, type X509Certificate } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'
import { GoError } from '../errors.ts'
import * as der from './der.ts'

export interface CertificateRequest {
  readonly commonName: string
  readonly ips: readonly string[]
  readonly dnsNames: readonly string[]
  /** From now on. */
  readonly days: number
  readonly isAuthority: boolean
  /** The holder's. */
  readonly key: KeyObject
}

/** Who signs: the holder of another certificate. */
export interface Issuer {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

/**
 * A certificate in PEM, signed by its issuer or, without one, by itself.
 * @param host clock and random bytes
 * @throws GoError for a key that cannot sign
 */
export function makeCertificate(
  request: CertificateRequest,
  issuer: Issuer | undefined,
  host: { readonly now: () => number; readonly randomBytes: (length: number) => Uint8Array },
): string {
  const { commonName, days, key } = request
  const signer = issuer?.key ?? key
  const algorithm = algorithmOf(signer)
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const now = host.now()
  const subject = der.sequence(
    ...(commonName === '' ? [] : [der.set(der.sequence(der.identifier('2.5.4.3'), der.text(commonName)))]),
  )
  const serial = Buffer.from(host.randomBytes(16))
  serial[0] = serial[0]! & 0x7f
  const contents = der.sequence(
    der.tagged(0, der.integer(Buffer.of(2)), true),
    der.integer(serial),
    algorithm.identifier,
    issuer === undefined ? subject : subjectOf(issuer.certificate),
    der.sequence(der.moment(now), der.moment(now + days * 86_400_000)),
    subject,
    publicKey,
    der.tagged(3, der.sequence(...extensions(request, publicKey, issuer)), true),
  )
  const signature = sign(algorithm.hash, contents, signer)
  return der.pem('CERTIFICATE', der.sequence(contents, algorithm.identifier, der.bits(signature)))
}

interface Algorithm {
  readonly hash: string | null
  readonly identifier: Buffer
}

function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): Algorithm {
  if (asymmetricKeyType === 'rsa') {
    return { hash: 'sha256', identifier: der.sequence(der.identifier('1.2.840.113549.1.1.11'), der.nothing) }
  }
  if (asymmetricKeyType === 'ed25519') return { hash: null, identifier: der.sequence(der.identifier('1.3.101.112')) }
  const [bits, last] =
    { prime256v1: [256, 2], secp384r1: [384, 3], secp521r1: [512, 4] }[asymmetricKeyDetails?.namedCurve ?? ''] ?? []
  if (asymmetricKeyType !== 'ec' || bits === undefined) {
    throw new GoError(`a key of type ${asymmetricKeyType} cannot sign certificates`)
  }
  return { hash: `sha${bits}`, identifier: der.sequence(der.identifier(`1.2.840.10045.4.3.${last}`)) }
}

function extensions(request: CertificateRequest, publicKey: Buffer, issuer: Issuer | undefined): Buffer[] {
  const { isAuthority, ips, dnsNames } = request
  const purposes = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'].map((purpose) => der.identifier(purpose))
  const names = [
    ...dnsNames.map((name) => der.tagged(2, Buffer.from(name, 'latin1'))),
    ...ips.map((ip) => der.tagged(7, addressBytes(ip))),
  ]
  const signer = issuer === undefined ? undefined : keyIdOf(issuer.certificate)
  return [
    // digitalSignature and keyEncipherment, of an authority keyCertSign, too
    extension('15', isAuthority ? der.bits(Buffer.of(0xa4), 2) : der.bits(Buffer.of(0xa0), 5), true),
    extension('37', der.sequence(...purposes)),
    extension('19', der.sequence(...(isAuthority ? [der.truth] : [])), true),
    ...(isAuthority ? [extension('14', der.octets(keyId(publicKey)))] : []),
    ...(signer === undefined ? [] : [extension('35', der.sequence(der.tagged(0, signer)))]),
    ...(names.length === 0 ? [] : [extension('17', der.sequence(...names))]),
  ]
}

const extension = (number: string, value: Buffer, critical = false): Buffer =>
  der.sequence(der.identifier(`2.5.29.${number}`), ...(critical ? [der.truth] : []), der.octets(value))

/** RFC 5280 section 4.2.1.2, first method. */
const keyId = (publicKey: Buffer): Buffer => hash('sha1', der.partAt(publicKey, 0, 1).content.subarray(1), 'buffer')

// Certificate → TBSCertificate → [version, serial, algorithm, issuer, validity, subject, key, …, extensions]
const subjectOf = ({ raw }: X509Certificate): Buffer => der.partAt(raw, 0, 0, 5).whole

function keyIdOf({ raw }: X509Certificate): Buffer | undefined {
  const holder = der.partsOf(der.partAt(raw, 0, 0).content).find(({ tag }) => tag === 0xa3)
  const wanted = der.identifier('2.5.29.14')
  const found = der
    .partsOf(der.partAt(holder?.content ?? Buffer.alloc(0), 0).content)
    .map(({ content }) => der.partsOf(content))
    .find(([id]) => id?.whole.equals(wanted) === true)
  const value = found?.at(-1)?.content
  return value === undefined ? undefined : der.partAt(value, 0).content
}

function addressBytes(ip: string): Buffer {
  if (isIP(ip) === 0) throw new GoError('error parsing ip: it is none')
  if (!isIPv6(ip)) return Buffer.from(ip.split('.').map(Number))
  const [head = '', tail] = canonical(ip).split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** Without an IPv4 address at its end. */
const canonical = (ip: string): string => new URL(`http://[${ip}]`).hostname.slice(1, -1)
