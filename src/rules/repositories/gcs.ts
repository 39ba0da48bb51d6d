import type * as Gcs from '@google-cloud/storage'
import { checkSize, type ImportPackage, type ReadObject } from './fetching.ts'
import type { ObjectUrl } from './object_url.ts'

const TIMEOUT = 10_000

/** Google Cloud Storage. Credentials come from wherever Google's tools take them (Application Default Credentials). */
export async function openGcs(url: ObjectUrl, load: ImportPackage): Promise<ReadObject> {
  const { Storage } = (await load('@google-cloud/storage')) as typeof Gcs
  const universeDomain = url.text('universe_domain')
  const anonymous = url.flag('anonymous')
  // With an endpoint of one's own the client sends no credentials unless told to; the slash makes the usual one such.
  const endpoint =
    url.text('endpoint') ?? (anonymous ? `https://storage.${universeDomain ?? 'googleapis.com'}/` : undefined)
  const storage = new Storage({
    retryOptions: { autoRetry: false },
    timeout: TIMEOUT,
    useAuthWithCustomEndpoint: !anonymous,
    ...(endpoint !== undefined && { apiEndpoint: endpoint }),
    ...(universeDomain !== undefined && { universeDomain }),
  })
  const bucket = storage.bucket(url.bucket)
  return async (known) => {
    const [{ etag, generation, size }] = await bucket.file(url.key).getMetadata()
    if (known !== undefined && etag === known) return { changed: false }
    checkSize(url.name, Number(size ?? 0))
    // Of this generation, so that the text is that of the ETag even when the object is being replaced.
    const [bytes] = await bucket.file(url.key, generation === undefined ? {} : { generation }).download()
    return { changed: true, text: bytes.toString('utf8'), etag }
  }
}
