/** Writes more than anybody takes. */
import type { Writable } from 'node:stream'

/** Linux lets each receiving end have up to 32 MiB; whoever has got rid of more is not stopped by anybody. */
export const plenty = 256 * 1024 * 1024

/** Writes a chunk for ever, as fast as the other side takes it; resolves with the bytes when it has taken nothing for a while. */
export async function fill(socket: Writable, chunk = Buffer.alloc(65_536, 'x')): Promise<number> {
  let written = 0
  while (written < plenty) {
    written += chunk.length
    if (socket.write(chunk)) continue
    const drained = await new Promise<boolean>((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      const timer = setTimeout(() => {
        socket.off('drain', goOn)
        resolve(false)
      }, 1000)
      socket.once('drain', goOn)
    })
    if (!drained) break
  }
  return written
}
