/** Collects log lines, so that a busy gateway writes once for many requests. */
import type { LogTarget } from './log.ts'

export interface BatchedTarget extends LogTarget {
  /** Hands on what has been collected; at the end of the process nothing else does. */
  readonly flush: () => void
}

/** Lines that are handed on at once, and milliseconds after which fewer are. */
const most = 128
const longest = 50

/** `write` gets one line or more; it must not throw. The timer does not keep the process alive. */
export function batchLines(write: (lines: readonly string[]) => void): BatchedTarget {
  let lines: string[] = []
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (lines.length === 0) return
    const batch = lines
    lines = []
    write(batch)
  }
  return {
    write(line) {
      lines.push(line)
      if (lines.length >= most) flush()
      else timer ??= setTimeout(flush, longest).unref()
    },
    flush,
  }
}
