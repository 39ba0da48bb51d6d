import cluster from 'node:cluster'

/** Tells a worker which one it is. */
export const SLOT_VARIABLE = 'MINTKEEPER_WORKER'

/** Which of the workers this process is, from 0; undefined in a process that is no worker. */
export function workerSlot(): number | undefined {
  return cluster.isWorker ? Number(process.env[SLOT_VARIABLE]) : undefined
}
