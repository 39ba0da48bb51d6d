/** Mintkeeper itself, as its users start it: the executable, the repository's config, and the environment. */
import path from 'node:path'
import { respondsOk, startChild, waitUntil, type Child } from './child.ts'
import { host } from './ports.ts'

interface MintkeeperOptions {
  readonly root: string
  readonly apiPort: number
  readonly environment: Readonly<Record<string, string>>
  readonly logs: string
  readonly onEnd: (message: string) => void
}

const name = 'Mintkeeper'

export const startMintkeeper = async (options: MintkeeperOptions): Promise<Child> => {
  const { root, apiPort, environment, logs, onEnd } = options
  const child = startChild({
    name,
    command: process.execPath,
    args: [path.join(root, 'src', 'bin.ts'), 'serve', '--config', 'mintkeeper.yaml'],
    cwd: root,
    env: { PATH: process.env['PATH'], NO_COLOR: '1', ...environment },
    logs,
    // Without draining: no load balancer has to notice.
    stopSignal: 'SIGINT',
    onEnd,
  })
  try {
    await waitUntil(name, child, () => respondsOk(`http://${host}:${apiPort}/health/ready`))
    return child
  } catch (error) {
    await child.stop()
    throw error
  }
}
