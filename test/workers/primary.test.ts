import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { createPrimary, type Primary, type WorkerEvent } from '../../src/workers/primary.ts'

const exec = fileURLToPath(new URL('stand_in.ts', import.meta.url))
/** How workers behave that are started from now on. */
const workersWill = (behave: 'listen' | 'hang'): void =>
  cluster.setupPrimary({ exec, execArgv: [], args: behave === 'hang' ? ['hangs'] : [] })

const open: Primary[] = []
afterEach(async () => {
  for (const primary of open.splice(0)) await primary.stop(false)
})

/** `startsWithin`: far longer than the stand-in takes where it is to listen. */
function primaryOf(count: number, startsWithin: number): { primary: Primary; events: WorkerEvent[] } {
  const events: WorkerEvent[] = []
  const primary = createPrimary({ count, startsWithin, report: (event) => events.push(event) })
  open.push(primary)
  return { primary, events }
}

const pids = (): readonly (number | undefined)[] =>
  Object.values(cluster.workers ?? {}).map((worker) => worker?.process.pid)

describe('a worker that hangs at its start', () => {
  it('is killed, and nothing has started when it was the first', async () => {
    workersWill('hang')
    const { primary, events } = primaryOf(2, 100)
    expect(await primary.start()).toBe(false)
    expect(events).toEqual([{ kind: 'late', pid: expect.any(Number) as number, to: 'start' }])
  })

  it('is killed at a restart, which is refused: the old ones go on, and another restart is heard', async () => {
    workersWill('listen')
    const { primary, events } = primaryOf(2, 3000)
    expect(await primary.start()).toBe(true)
    const old = pids()
    expect(old).toHaveLength(2)
    workersWill('hang')
    await primary.restart()
    expect(events.map(({ kind }) => kind)).toEqual(['listening', 'late', 'restart_refused'])
    await expect.poll(pids).toEqual(old)
    workersWill('listen')
    await primary.restart()
    expect(events.slice(3).map(({ kind }) => kind)).toEqual(['replaced', 'replaced'])
    expect(await primary.stop(false)).toBe(true)
  })

  it('does not keep the others from stopping in order', async () => {
    workersWill('listen')
    const { primary, events } = primaryOf(1, 60_000)
    await primary.start()
    workersWill('hang')
    const restarted = primary.restart()
    await expect.poll(pids).toHaveLength(2)
    expect(await primary.stop(false)).toBe(true)
    await restarted
    expect(events.map(({ kind }) => kind)).toEqual(['listening'])
  })
})
