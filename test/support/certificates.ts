import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'

export interface IssuedCertificate {
  /** Paths of PEM files. */
  readonly cert: string
  readonly key: string
}

/** A certificate authority whose files are in a folder; certificates are for a common name, and for 127.0.0.1 unless said. */
export interface Authority extends IssuedCertificate {
  /** `names` as OpenSSL writes them: `DNS:a.example,IP:::1`. */
  issue(file: string, commonName: string, names?: string): IssuedCertificate
}

const openssl = (...args: readonly string[]): unknown => execFileSync('openssl', args, { stdio: 'ignore' })

export function createAuthority(folder: string, name = 'ca'): Authority {
  const at = (file: string): string => path.join(folder, file)
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const ca = { cert: at(`${name}.pem`), key: at(`${name}.key`) }
  openssl('req', '-x509', ...curve, '-subj', `/CN=${name}`, '-keyout', ca.key, '-out', ca.cert)
  return {
    ...ca,
    issue(file, commonName, names = 'IP:127.0.0.1') {
      const issued = { cert: at(`${file}.pem`), key: at(`${file}.key`) }
      const [request, extensions] = [at(`${file}.csr`), at(`${file}.ext`)]
      openssl('req', ...curve, '-subj', `/CN=${commonName}`, '-keyout', issued.key, '-out', request)
      writeFileSync(extensions, `subjectAltName=${names}\n`)
      const signer = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-extfile', extensions]
      openssl('x509', '-req', '-in', request, ...signer, '-out', issued.cert)
      return issued
    },
  }
}
