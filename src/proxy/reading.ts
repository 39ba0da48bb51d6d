/* eslint-disable no-underscore-dangle -- node calls what a stream reads with `_read` */
/** Streams that are read no further once they are paused. */
import type { Readable } from 'node:stream'

/**
 * Node's streams go on reading when they are paused, until their buffer is full and once more. This one stops with the piece that
 * is being read; what is left in the kernel makes the sender wait and costs us nothing. `isPaused` is asked whenever more
 * could be read; the returned function has to be called when that has become false.
 */
export function readNothingWhile(isPaused: () => boolean, stream: Readable): () => void {
  const read = stream._read.bind(stream)
  const push = stream.push.bind(stream)
  let isStopped = false
  stream._read = (size) => {
    if (isPaused()) isStopped = true
    else read(size)
  }
  stream.push = (piece, encoding) => push(piece, encoding) && !isPaused()
  return () => {
    if (!isStopped) return
    isStopped = false
    read(0)
  }
}
