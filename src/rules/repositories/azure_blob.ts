import type * as Azure from '@azure/storage-blob'
import type { Environment } from '../../documents/interpolate.ts'
import { type ImportPackage, type ReadObject, readText } from './fetching.ts'
import type { ObjectUrl } from './object_url.ts'
import { RepositoryError } from './repository_error.ts'

type Credential = Azure.BlobServiceClient['credential']

const options = { retryOptions: { maxTries: 1 } }

/** Azure Blob Storage. Account and credentials come from the variables `AZURE_STORAGE_…` that Go CDK and Azure's tools read. */
export async function openAzureBlob(url: ObjectUrl, load: ImportPackage, env: Environment): Promise<ReadObject> {
  const service = await openService(url, load, env)
  const blob = service.getContainerClient(url.bucket).getBlobClient(url.key)
  return async (etag, abortSignal) => {
    const conditions = etag === undefined ? {} : { ifNoneMatch: etag }
    const answer = await blob.download(0, undefined, { abortSignal, conditions })
    const body = (answer.readableStreamBody as AsyncIterable<Uint8Array> | undefined) ?? null
    return { changed: true, text: await readText(url.name, body), etag: answer.etag }
  }
}

async function openService(url: ObjectUrl, load: ImportPackage, env: Environment): Promise<Azure.BlobServiceClient> {
  const azure = (await load('@azure/storage-blob')) as typeof Azure
  const { AZURE_STORAGE_CONNECTION_STRING: connection, AZURE_STORAGE_KEY: key, AZURE_STORAGE_SAS_TOKEN: sas } = env
  const account = url.text('storage_account') ?? env['AZURE_STORAGE_ACCOUNT']
  try {
    if (isSet(connection)) return azure.BlobServiceClient.fromConnectionString(connection, options)
    if (!isSet(account)) {
      throw new RepositoryError(
        `${url.name} has no storage account`,
        'Set AZURE_STORAGE_ACCOUNT, or AZURE_STORAGE_CONNECTION_STRING.',
      )
    }
    const address = serviceAddress(url, account, env)
    const connect = (credential: Credential, query = ''): Azure.BlobServiceClient =>
      new azure.BlobServiceClient(`${address}${query}`, credential, options)
    if (isSet(key)) return connect(new azure.StorageSharedKeyCredential(account, key))
    if (isSet(sas)) return connect(new azure.AnonymousCredential(), `?${sas.replace(/^\?/, '')}`)
    return connect(await identity(url, load))
  } catch (error) {
    if (error instanceof RepositoryError) throw error
    // The client's own message may quote what it was given.
    throw new RepositoryError(
      `The Azure settings for ${url.name} are not valid`,
      'Check the variables AZURE_STORAGE_….',
    )
  }
}

/** Workload identity, managed identity and the like, which Azure keeps in another package. */
async function identity(url: ObjectUrl, load: ImportPackage): Promise<Credential> {
  try {
    const { DefaultAzureCredential } = (await load('@azure/identity')) as {
      DefaultAzureCredential: new () => Credential
    }
    return new DefaultAzureCredential()
  } catch (error) {
    if (!(error instanceof RepositoryError)) throw error
    throw new RepositoryError(
      `There are no credentials for ${url.name}`,
      'Set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING; for identities: npm install @azure/identity',
    )
  }
}

function serviceAddress(url: ObjectUrl, account: string, env: Environment): string {
  const emulator = url.flag('localemu') || env['AZURE_STORAGE_IS_LOCAL_EMULATOR'] === 'true'
  const cdn = url.flag('cdn') || env['AZURE_STORAGE_IS_CDN'] === 'true'
  const protocol = url.text('protocol') ?? env['AZURE_STORAGE_PROTOCOL'] ?? (emulator ? 'http' : 'https')
  const domain =
    url.text('domain') ?? env['AZURE_STORAGE_DOMAIN'] ?? (emulator ? '127.0.0.1:10000' : 'blob.core.windows.net')
  if (emulator) return `${protocol}://${domain}/${account}`
  return cdn ? `${protocol}://${domain}` : `${protocol}://${account}.${domain}`
}

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ''
