/** What Linux says of processes: whose CPU time it was, and how busy the machine is. See proc(5). */
import { readFileSync, readdirSync } from 'node:fs'

/** USER_HZ, which is 100 on every platform that Node runs on. */
const ticksPerSecond = 100

interface ProcessStat {
  readonly parent: number
  /** User and system time in seconds. */
  readonly cpu: number
  /** The same of its children that have ended. */
  readonly endedCpu: number
}

const stat = (pid: number | string): ProcessStat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name stands in parentheses and may hold anything; fields are counted from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const seconds = (user: number): number => (Number(fields[user]) + Number(fields[user + 1])) / ticksPerSecond
    return { parent: Number(fields[1]), cpu: seconds(11), endedCpu: seconds(13) }
  } catch {
    return undefined
  }
}

/** Every process that descends from another one. */
export const descendants = (root: number): readonly number[] => {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const parent = Number.isInteger(pid) ? stat(pid)?.parent : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const of = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...of(child)])
  return of(root)
}

/** CPU seconds that a process and all that descends from it have used so far. */
export const treeCpu = (root: number): number => {
  let sum = 0
  for (const pid of [root, ...descendants(root)]) sum += stat(pid)?.cpu ?? 0
  return sum
}

/** CPU seconds of all children of this process that have ended so far. */
export const endedCpu = (): number => stat('self')?.endedCpu ?? 0

/** Resident memory of a process and all that descends from it, in MiB. What they share counts for each. */
export const treeMemory = (root: number): number => {
  let kibibytes = 0
  for (const pid of [root, ...descendants(root)]) {
    try {
      kibibytes += Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
    } catch {
      // It has ended meanwhile.
    }
  }
  return kibibytes / 1024
}

/** CPU seconds that the whole machine has been busy so far, or kept waiting by the host that it runs on; all cores together. */
export const machineCpu = (): number => {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1)
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, softInterrupt = 0, stolen = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + interrupt + softInterrupt + stolen) / ticksPerSecond
}
