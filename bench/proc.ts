/** What Linux says of processes: whose CPU time it was, and how busy the machine is. See proc(5). */
import { readFileSync, readdirSync } from 'node:fs'

/** USER_HZ, which is 100 on every platform that Node runs on. */
const ticksPerSecond = 100

interface ProcessStat {
  readonly parent: number
  /** User and system time in seconds. */
  readonly cpu: number
}

const stat = (pid: number | string): ProcessStat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name stands in parentheses and may hold anything; fields are counted from behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), cpu: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond }
  } catch {
    return undefined
  }
}

/** CPU seconds that a process and all that descends from it have used so far. */
export const treeCpu = (root: number): number => {
  const all = new Map<number, ProcessStat>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const found = Number.isInteger(pid) ? stat(pid) : undefined
    if (found !== undefined) all.set(pid, found)
  }
  let sum = 0
  for (const [pid, { cpu }] of all) {
    let at: number | undefined = pid
    while (at !== undefined && at !== root) at = all.get(at)?.parent
    if (at === root) sum += cpu
  }
  return sum
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

/** CPU seconds that the whole machine has been busy so far, all cores together. */
export const machineCpu = (): number => {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1)
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, softInterrupt = 0] = line.split(/\s+/).slice(1).map(Number)
  return (user + nice + system + interrupt + softInterrupt) / ticksPerSecond
}
