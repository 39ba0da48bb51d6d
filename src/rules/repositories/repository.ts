/** Where rules come from: the URL of a repository, read as Oathkeeper reads it. */
import { resolve } from 'node:path'
import { type ObjectUrl, parseObjectUrl } from './object_url.ts'
import { RepositoryError } from './repository_error.ts'

export type Repository =
  | { readonly kind: 'file'; readonly name: string; readonly path: string }
  | { readonly kind: 'inline'; readonly name: string; readonly encoded: string }
  | { readonly kind: 'http'; readonly name: string; readonly url: URL }
  | { readonly kind: 'object'; readonly name: string; readonly url: ObjectUrl }

const supported = 'Supported are file://, inline://, http://, https://, s3://, gs:// and azblob://, and plain paths.'

/**
 * Takes an entry of `access_rules.repositories`, its position in the list and the working directory.
 * `file://` paths are relative unless a third slash follows. Throws RepositoryError.
 */
export function parseRepository(text: string, index: number, directory: string): Repository {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase()
  switch (scheme) {
    case undefined:
      return fileRepository(text, directory)
    case 'file':
      return fileRepository(decodePath(text.slice('file://'.length)), directory)
    case 'inline':
      return { kind: 'inline', name: `inline repository ${index + 1}`, encoded: text.slice('inline://'.length) }
    case 'http':
    case 'https': {
      const url = URL.parse(text)
      if (url === null) throw new RepositoryError(`Access rule repository ${index + 1} is not a valid URL`)
      return { kind: 'http', name: publicUrl(url), url }
    }
    case 's3':
    case 'gs':
    case 'azblob': {
      const url = parseObjectUrl(scheme, text, index)
      return { kind: 'object', name: url.name, url }
    }
    default:
      throw new RepositoryError(`rule: source url uses an unknown scheme: ${scheme}`, supported)
  }
}

/** The URL without what may be secret: credentials and query. */
export function publicUrl(url: URL): string {
  return `${url.origin}${url.pathname}`
}

function fileRepository(path: string, directory: string): Repository {
  if (path === '') throw new RepositoryError('An access rule repository has no path', supported)
  return { kind: 'file', name: path, path: resolve(directory, path) }
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
