/** Certificates of a listener: from files, which may be replaced while it runs, or written into the configuration. */
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Log } from '../pipeline/contract/runtime.ts'

export type TlsPart = { readonly path: string } | { readonly base64: string }

/** `serve.*.tls`: a PEM certificate chain and its key, each as a file or as base64 of the PEM text. */
export interface TlsSource {
  readonly cert: TlsPart
  readonly key: TlsPart
}

export interface TlsMaterial {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Milliseconds between looks at the files; polling sees what Kubernetes does with its symbolic links. */
const pollInterval = 1000

/** Reads both and checks that they belong together. Throws an Error that names the file but shows no content. */
export function loadTls(source: TlsSource): TlsMaterial {
  const material = { cert: readPart(source.cert), key: readPart(source.key) }
  // Throws when one cannot be parsed or the key is not the certificate's.
  createSecureContext(material)
  return material
}

/**
 * Looks at the files and calls `apply` with what they hold whenever they have changed and fit together; until then the
 * old certificate stays. Returns what stops it.
 */
export function watchTls(source: TlsSource, log: Log, apply: (material: TlsMaterial) => void): () => void {
  const paths = [source.cert, source.key].flatMap((part) => ('path' in part ? [part.path] : []))
  const reload = (): void => {
    try {
      apply(loadTls(source))
      log.info({ files: paths }, 'TLS certificate reloaded')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.warn({ files: paths, reason }, 'TLS certificate not reloaded; the old one stays in use')
    }
  }
  for (const path of paths) watchFile(path, { interval: pollInterval, persistent: false }, reload)
  return () => {
    for (const path of paths) unwatchFile(path, reload)
  }
}

const readPart = (part: TlsPart): Buffer =>
  'path' in part ? readFileSync(part.path) : Buffer.from(part.base64, 'base64')
