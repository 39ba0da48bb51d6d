import type * as S3 from '@aws-sdk/client-s3'
import { type ImportPackage, type ReadObject, readText } from './fetching.ts'
import type { ObjectUrl } from './object_url.ts'

/** Amazon S3, and what speaks like it. Credentials and region come from wherever the AWS tools take them. */
export async function openS3(url: ObjectUrl, load: ImportPackage): Promise<ReadObject> {
  const { S3Client, GetObjectCommand } = (await load('@aws-sdk/client-s3')) as typeof S3
  const plain = url.flag('disable_https', 'disable_ssl', 'disableSSL')
  const [region, profile, endpoint] = [url.text('region'), url.text('profile'), url.text('endpoint')]
  const client = new S3Client({
    maxAttempts: 1,
    tls: !plain,
    forcePathStyle: url.flag('use_path_style', 's3ForcePathStyle', 's3_force_path_style', 'hostname_immutable'),
    useAccelerateEndpoint: url.flag('accelerate'),
    useDualstackEndpoint: url.flag('use_dualstack', 'dualstack'),
    useFipsEndpoint: url.flag('fips'),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(endpoint !== undefined && { endpoint: withScheme(endpoint, plain) }),
    ...(url.flag('anonymous') && unsigned),
  })
  const { bucket: Bucket, key: Key, name } = url
  return async (etag, abortSignal) => {
    const command = new GetObjectCommand({ Bucket, Key, ...(etag !== undefined && { IfNoneMatch: etag }) })
    const { Body, ETag } = await client.send(command, { abortSignal })
    const text = await readText(name, (Body as AsyncIterable<Uint8Array> | undefined) ?? null)
    return { changed: true, text, etag: ETag }
  }
}

/** Requests go out as they are. */
const unsigned = {
  credentials: { accessKeyId: '', secretAccessKey: '' },
  signer: { sign: <Request>(request: Request) => Promise.resolve(request) },
}

const withScheme = (endpoint: string, plain: boolean): string =>
  endpoint.includes('://') ? endpoint : `${plain ? 'http' : 'https'}://${endpoint}`
