import { RepositoryError } from './repository_error.ts'

/** Takes standard, padded base64 (RFC 4648 section 4); returns the text. Throws RepositoryError. */
export function decodeInlineRules(encoded: string): string {
  if (encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) {
    throw new RepositoryError(
      'The rules behind inline:// are not valid base64',
      'Encode them with the standard alphabet and padding, as `base64 -w0 rules.yaml` does.',
    )
  }
  return Buffer.from(encoded, 'base64').toString('utf8')
}
