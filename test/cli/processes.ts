/** What a test of processes opens; it is closed when the test is over, the latest first. */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { folder, spawnCli, type Folder, type Spawned } from './run.ts'

/** A hook of this file would be one of the first test file alone that loads it: several share a process. */
export function atEnd(close: () => unknown): void {
  onTestFinished(async () => {
    await close()
  })
}

export function newFolder(): Folder {
  const files = folder()
  atEnd(() => files[Symbol.dispose]())
  return files
}

/** A command in a process of its own, which is killed if it still runs. */
export function serve(args: readonly string[], nodeArgs: readonly string[] = []): Spawned {
  const spawned = spawnCli(args, {}, nodeArgs)
  atEnd(() => {
    spawned.child.kill('SIGKILL')
    return spawned.ended
  })
  return spawned
}

/** Ports from the banner, once all three listeners are bound. */
export async function ports(spawned: Spawned): Promise<{ proxy: number; api: number; metrics: number }> {
  const [, proxy, api, metrics] = await spawned.errMatching(
    /proxy {4}http:\/\/127\.0\.0\.1:(\d+)\n {2}API {6}http:\/\/127\.0\.0\.1:(\d+)\n {2}metrics {2}http:\/\/127\.0\.0\.1:(\d+)\n/,
  )
  return { proxy: Number(proxy), api: Number(api), metrics: Number(metrics) }
}

/** Binds to a free port, which is returned. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
