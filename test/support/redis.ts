/** Debian's redis-server, in a folder of its own. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startChild, waitUntil, type Child } from '../../demo/child.ts'
import { freeBlock } from '../../demo/ports.ts'

export interface RedisServer extends AsyncDisposable {
  /** With its password. */
  readonly url: string
  stop(): Promise<void>
  /** After `stop`: at the same address. */
  start(): Promise<void>
}

const PASSWORD = 'a-password-of-the-test'

/** Whether there is a redis-server to start. In CI there has to be one. */
export function hasRedis(): boolean {
  if (process.env['CI'] !== undefined) return true
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-redis-'))
  const port = await freeBlock(1)
  let child: Child | undefined
  const start = async (): Promise<void> => {
    const options = { port, bind: '127.0.0.1', dir: folder, save: '', requirepass: PASSWORD }
    child = startChild({
      name: 'redis-server',
      command: 'redis-server',
      args: Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      env: { PATH: process.env['PATH'] },
      logs: folder,
      onEnd: (message) => {
        throw new Error(message)
      },
    })
    await waitUntil('redis-server', child, async () => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.destroy()
      return true
    })
  }
  await start()
  return {
    url: `redis://:${PASSWORD}@127.0.0.1:${port}/0`,
    start,
    stop: async () => child?.stop(),
    async [Symbol.asyncDispose]() {
      await child?.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
