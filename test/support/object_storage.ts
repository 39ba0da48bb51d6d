import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { startServer } from './http_server.ts'

/** The read half of what S3, Google Cloud Storage (JSON API) and Azure Blob Storage speak, for one server of all three. */
export interface ObjectStorage extends AsyncDisposable {
  readonly url: string
  /** Host and port. */
  readonly host: string
  /** Text by `bucket/key`. */
  readonly objects: Map<string, string>
  /** Every request so far: method, path and status. */
  readonly log: readonly string[]
  /** Headers of the last request. */
  lastHeaders(): IncomingMessage['headers']
  /** Answers every request with this status as long as it is set. */
  failWith: number | undefined
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A version of an object: its text, so that equal texts have equal versions. */
const version = (text: string): string => hash('sha256', text).slice(0, 12)

/** S3, path style: `/bucket/key`. */
function s3(objects: ReadonlyMap<string, string>, path: string, request: IncomingMessage): Answer {
  const text = objects.get(path)
  if (text === undefined)
    return { status: 404, body: '<Error><Code>NoSuchKey</Code><Message>secret-in-message</Message></Error>' }
  return conditional(request, text)
}

function conditional(request: IncomingMessage, text: string): Answer {
  const etag = `"${version(text)}"`
  const headers = { etag, 'last-modified': 'Mon, 02 Jan 2034 15:04:05 GMT' }
  if (request.headers['if-none-match'] === etag) return { status: 304, headers }
  return { status: 200, headers, body: text }
}

/** Google's JSON API: `/storage/v1/b/bucket/o/key`, the object's description or, with `alt=media`, its content. */
function gcs(objects: ReadonlyMap<string, string>, path: string, query: URLSearchParams): Answer {
  const [, bucket = '', key = ''] = /^storage\/v1\/b\/([^/]+)\/o\/(.+)$/.exec(path) ?? []
  const text = objects.get(`${bucket}/${decodeURIComponent(key)}`)
  if (text === undefined)
    return { status: 404, body: JSON.stringify({ error: { code: 404, message: 'secret-in-message' } }) }
  const generation = String(Number.parseInt(version(text), 16))
  if (query.get('alt') !== 'media') {
    const size = String(Buffer.byteLength(text))
    return json({
      kind: 'storage#object',
      name: key,
      bucket,
      generation,
      etag: version(text),
      size,
    })
  }
  if (query.get('generation') !== generation) return { status: 404 }
  return { status: 200, body: text }
}

const json = (body: object): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

/** Azure with the address of its emulator: `/account/container/blob`. */
function azure(objects: ReadonlyMap<string, string>, path: string, request: IncomingMessage): Answer {
  const text = objects.get(path.slice(path.indexOf('/') + 1))
  const headers = { 'x-ms-version': '2025-01-05', 'x-ms-request-id': '1', 'x-ms-blob-type': 'BlockBlob' }
  if (text === undefined) return { status: 404, headers: { ...headers, 'x-ms-error-code': 'BlobNotFound' } }
  const answer = conditional(request, text)
  return { ...answer, headers: { ...headers, ...answer.headers } }
}

export async function startObjectStorage(): Promise<ObjectStorage> {
  const objects = new Map<string, string>()
  const log: string[] = []
  let last: IncomingMessage['headers'] = {}
  const server = await startServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://h')
    const path = decodeURI(url.pathname.slice(1))
    last = request.headers
    const answer =
      storage.failWith === undefined
        ? 'x-ms-version' in request.headers
          ? azure(objects, path, request)
          : path.startsWith('storage/v1/')
            ? gcs(objects, path, url.searchParams)
            : s3(objects, path, request)
        : { status: storage.failWith, body: 'secret-in-message' }
    log.push(`${request.method} /${path} ${answer.status}`)
    send(response, answer)
  })
  const storage: ObjectStorage = {
    url: server.url,
    host: new URL(server.url).host,
    objects,
    log,
    lastHeaders: () => last,
    failWith: undefined,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  return storage
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: Answer): void {
  response.writeHead(status, { ...headers, ...(status !== 304 && { 'content-length': Buffer.byteLength(body) }) })
  response.end(status === 304 ? undefined : body)
}
