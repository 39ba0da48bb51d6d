/** `serve.*.tls` of the config, as the listeners take it. */
import type { Config } from './config/schema.ts'
import type { Locate, Problem } from './documents/problem.ts'
import { loadTls, type TlsSource } from './proxy/tls.ts'

type TlsConfig = Config['serve']['proxy']['tls']

/** Undefined for a listener without TLS. */
export function tlsSource(tls: TlsConfig): TlsSource | undefined {
  const cert = tlsPart(tls?.cert)
  const key = tlsPart(tls?.key)
  return cert === undefined || key === undefined ? undefined : { cert, key }
}

function tlsPart(part: NonNullable<TlsConfig>['key']): TlsSource['key'] | undefined {
  if (part?.base64 !== undefined) return { base64: part.base64 }
  return part?.path === undefined ? undefined : { path: part.path }
}

/** Certificates that cannot be read, or do not fit their keys. */
export function certificateProblems(serve: Config['serve'], locate: Locate): readonly Problem[] {
  return (['proxy', 'api'] as const).flatMap((plane): Problem[] => {
    const source = tlsSource(serve[plane].tls)
    if (source === undefined) return []
    try {
      loadTls(source)
      return []
    } catch (error) {
      const place = locate(['serve', plane, 'tls'])
      const message = `The certificate of serve.${plane}.tls cannot be used: ${error instanceof Error ? error.message : String(error)}`
      const hint = 'Give a PEM certificate chain and the private key that belongs to it.'
      return [{ severity: 'error', message, hint, ...(place !== undefined && { place }) }]
    }
  })
}
