/** Reads the body of a call of `/decisions` for the handlers that look at it. */
import { GatewayError } from '../errors.ts'
import type { ReadBody } from '../pipeline/contract.ts'

/** See ReadBody; a call has the body of the request it is about, when the asking proxy sends it along. */
export function bodyReader(request: Request): ReadBody {
  let reading: Promise<Buffer> | undefined
  return async (limit) => {
    reading ??= collect(request, limit)
    const bytes = await reading
    if (bytes.length > limit) throw tooLarge(limit)
    return bytes
  }
}

async function collect({ body }: Request, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body ?? []) {
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
