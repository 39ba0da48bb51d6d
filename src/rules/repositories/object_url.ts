/** `s3://`, `gs://` and `azblob://` URLs, in the form of Go CDK, which Oathkeeper reads them with: the host is the bucket. */
import { RepositoryError } from './repository_error.ts'

export type ObjectService = 's3' | 'gs' | 'azblob'

/** One object of one bucket, and how to get there. */
export interface ObjectUrl {
  readonly service: ObjectService
  readonly bucket: string
  /** Without a leading slash. */
  readonly key: string
  /** `s3://bucket/key`: what may be shown. */
  readonly name: string
  /** A query parameter under its first name or one of its older ones; undefined when it is absent or empty. */
  text(...names: readonly string[]): string | undefined
  /** The same for `true` and `false`, in the spellings that Go's ParseBool takes. */
  flag(...names: readonly string[]): boolean
  /** Query parameters that nobody reads. */
  readonly unknown: readonly string[]
}

/** What each service takes. The last line of S3 and of GCS has no effect here, and passes because Go CDK takes it. */
const parameters: Readonly<Record<ObjectService, readonly string[]>> = {
  s3: words(
    'region endpoint profile anonymous accelerate fips dualstack use_dualstack hostname_immutable',
    'use_path_style s3ForcePathStyle s3_force_path_style disable_https disable_ssl disableSSL',
    'awssdk ssetype kmskeyid request_checksum_calculation response_checksum_validation rate_limiter_capacity',
  ),
  gs: words('endpoint anonymous universe_domain', 'access_id private_key_path'),
  azblob: words('storage_account domain protocol cdn localemu'),
}

/** Takes the URL as the config has it. Throws RepositoryError. */
export function parseObjectUrl(service: ObjectService, text: string, index: number): ObjectUrl {
  const invalid = (why: string, hint: string): RepositoryError =>
    new RepositoryError(`Access rule repository ${index + 1} ${why}`, hint)
  const form = `Write it as ${service}://bucket/path/to/rules.yaml.`
  const url = URL.parse(text)
  if (url === null) throw invalid('is not a valid URL', form)
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      'has credentials in its URL',
      "Give them the way the vendor's tools take them: environment, profile or role.",
    )
  }
  const bucket = url.host
  const key = decodeKey(url.pathname)
  if (bucket === '' || key === '') throw invalid('names no object', form)
  const { searchParams } = url
  const value = (names: readonly string[]): string | undefined =>
    names.map((name) => searchParams.get(name)).find((found) => found !== null && found !== '') ?? undefined
  const name = `${service}://${bucket}/${key}`
  return {
    service,
    bucket,
    key,
    name,
    text: (...names) => value(names),
    flag(...names) {
      const found = value(names)
      if (found === undefined || falsy.has(found)) return false
      if (truthy.has(found)) return true
      throw new RepositoryError(`${name}: the parameter ${names[0]} must be true or false`)
    },
    unknown: [...new Set(searchParams.keys())].filter((found) => !parameters[service].includes(found)),
  }
}

const truthy: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])
const falsy: ReadonlySet<string> = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False'])

function words(...lines: readonly string[]): readonly string[] {
  return lines.join(' ').split(' ')
}

function decodeKey(path: string): string {
  const key = path.replace(/^\//, '')
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
