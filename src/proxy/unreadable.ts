/** What becomes of bytes that node's parser cannot read, at the start of a connection or in the middle of a request. */
import type { Duplex } from 'node:stream'
import { GatewayError } from '../errors.ts'
import { errorAnswer } from '../pipeline/error_body.ts'
import { rawAnswer } from './answer.ts'
import type { Connection, ProxyContext } from './context.ts'
import { requestRecord } from './record.ts'

/** Answers once, after the requests that were read before have had their own answers, and ends the connection. */
export function answerUnreadable(
  context: ProxyContext,
  fault: NodeJS.ErrnoException,
  socket: Duplex,
  connection: Connection | undefined,
): void {
  // Of the TCP connection's end below it, TLS learns as of an error of the client's.
  if (connection === undefined || !socket.writable || connection.carrier.destroyed) {
    socket.destroy()
    return
  }
  const error = toGatewayError(fault)
  const answer = (): void => {
    // An answer before it may have been broken off.
    if (!socket.writable) return
    socket.end(rawAnswer(errorAnswer(error, undefined, { verbose: false })), () => socket.destroy())
  }
  const pending = [...connection.exchanges]
  const broken = pending.find(({ request }) => !request.complete)
  if (broken === undefined) record(context, connection, error)
  if (pending.some((exchange) => exchange !== broken)) {
    connection.idle = answer
    broken?.abandon(error)
    return
  }
  broken?.abandon(error)
  // An answer that has begun cannot be taken back, only broken off.
  if (broken?.response.headersSent === true) socket.destroy()
  else answer()
}

function record({ observe, log }: ProxyContext, connection: Connection, error: GatewayError): void {
  const known = { method: '', status: error.status, durationMs: 0, remoteAddress: connection.peer.address }
  try {
    observe(requestRecord(known, undefined, undefined, error))
  } catch (fault) {
    log.error({ error: String(fault) }, 'the record of a request could not be taken')
  }
}

function toGatewayError(fault: NodeJS.ErrnoException): GatewayError {
  const reason = fault.code ?? fault.name
  if (reason === 'HPE_HEADER_OVERFLOW') return new GatewayError('headers_too_large', { reason })
  if (reason === 'ERR_HTTP_REQUEST_TIMEOUT') return new GatewayError('request_timeout', { reason })
  return new GatewayError('request_invalid', { reason })
}
