/** Reads the body of a call of `/decisions` for the handlers that look at it. */
import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../errors.ts'
import type { ReadBody } from '../pipeline/contract/inbound.ts'

/**
 * See ReadBody; a call has the body of the request it is about, when the asking proxy sends it along.
 * @param incoming the request as it came over the wire, when there is one: Fetch knows no body of a GET
 */
export function bodyReader(request: Request, incoming?: IncomingMessage): ReadBody {
  let reading: Promise<Buffer> | undefined
  return async (limit) => {
    reading ??= collect(incoming?.iterator({ destroyOnReturn: false }) ?? request.body ?? [], limit).finally(() => {
      // What still comes is thrown away, so that the caller can finish sending and read its answer.
      incoming?.resume()
    })
    const bytes = await reading
    if (bytes.length > limit) throw tooLarge(limit)
    return bytes
  }
}

async function collect(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof GatewayError ? error : new GatewayError('client_closed_request', { cause: error })
  }
  return Buffer.concat(chunks)
}

const tooLarge = (limit: number): GatewayError =>
  new GatewayError('body_too_large', { reason: `the request body has more than ${limit} bytes` })
