/** Certificates with which the gateway is a client: whom it trusts, and who it is. */
import { createPrivateKey, hash, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'

export type TlsPart = 'ca' | 'cert' | 'key'

/** Paths of PEM files; `cert` and `key` come together. */
export type TlsFiles = { readonly [Part in TlsPart]?: string | undefined }

export interface ClientTls {
  readonly context: SecureContext
  /** Equal when the contents of all files are. */
  readonly digest: string
}

/** A file that cannot be used; the message says why and shows nothing of it. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError'
  readonly part: TlsPart

  constructor(part: TlsPart, path: string, problem: string) {
    super(`The file ${path} ${problem}`)
    this.part = part
  }
}

/** Reads the files and checks that they fit together. Rejects with TlsFileError. */
export async function loadClientTls(files: TlsFiles): Promise<ClientTls> {
  const [ca, cert, key] = await Promise.all([read('ca', files), read('cert', files), read('key', files)])
  if (ca !== undefined) certificates('ca', files, ca)
  if (cert !== undefined && key !== undefined) checkPair(files, cert, key)
  const context = createSecureContext({
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  })
  return { context, digest: hash('sha256', JSON.stringify([ca, cert, key]), 'base64url') }
}

async function read(part: TlsPart, files: TlsFiles): Promise<string | undefined> {
  const path = files[part]
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as { code?: unknown }
    throw new TlsFileError(part, path, code === 'ENOENT' ? 'does not exist' : `cannot be read (${String(code)})`)
  }
}

/** Node would pass over what it cannot read, and then trust nobody. */
function certificates(part: TlsPart, files: TlsFiles, pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  try {
    const found = blocks.map((block) => new X509Certificate(block))
    if (found.length > 0) return found
  } catch {
    // Told below: which of its blocks is wrong would not help.
  }
  throw new TlsFileError(part, files[part] ?? '', 'holds no certificate in PEM form')
}

function checkPair(files: TlsFiles, cert: string, key: string): void {
  const [own] = certificates('cert', files, cert)
  let belongs: boolean
  try {
    belongs = own?.checkPrivateKey(createPrivateKey(key)) ?? false
  } catch {
    throw new TlsFileError('key', files.key ?? '', 'holds no private key in PEM form without a password')
  }
  if (!belongs) throw new TlsFileError('key', files.key ?? '', 'is not the private key of the certificate')
}
