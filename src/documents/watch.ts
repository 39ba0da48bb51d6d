import { stat, unwatchFile, watchFile, type Stats } from 'node:fs'

export interface WatchOptions {
  /** Milliseconds between two looks at a file. */
  readonly interval?: number
  /** Milliseconds without a further change before the changes are told, so that a half-written set is not read. */
  readonly settle?: number
  /** Epoch milliseconds, see `FileWatch.update`. */
  readonly since?: number
}

export interface FileWatch {
  /**
   * Replaces the set of watched files. `since` (epoch milliseconds) is when the caller began to read them: a file that is new
   * to the set and has changed from then on is told, so that no change falls between reading and watching.
   */
  update(files: readonly string[], since?: number): void
  close(): void
}

/**
 * Calls back with the files that changed, appeared or went. Looks at what a path leads to (`stat` every second) instead of
 * asking the kernel: a Kubernetes ConfigMap is swapped by a symbolic link two levels up, of which a watched file tells nothing.
 * Does not keep the process alive.
 */
export function watchFiles(
  files: readonly string[],
  onChange: (changed: readonly string[]) => void,
  { interval = 1000, settle = 100, since }: WatchOptions = {},
): FileWatch {
  const listeners = new Map<string, (current: Stats, previous: Stats) => void>()
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined

  function told(file: string): void {
    changed.add(file)
    clearTimeout(timer)
    timer = setTimeout(() => {
      const list = [...changed]
      changed.clear()
      onChange(list)
    }, settle)
    timer.unref()
  }

  function forget(file: string): void {
    const listener = listeners.get(file)
    if (listener === undefined) return
    unwatchFile(file, listener)
    listeners.delete(file)
    changed.delete(file)
  }

  function update(next: readonly string[], readFrom?: number): void {
    const wanted = new Set(next)
    for (const file of listeners.keys()) if (!wanted.has(file)) forget(file)
    for (const file of wanted) {
      if (listeners.has(file)) continue
      let last: Stats | undefined
      const listener = (current: Stats, previous: Stats): void => {
        // Of a file that comes back node gives as `previous` what it was before it went.
        if (isOther(current, last ?? previous)) told(file)
        last = current
      }
      listeners.set(file, listener)
      watchFile(file, { interval, persistent: false }, listener)
      if (readFrom !== undefined) {
        // `ctime`, not `mtime`: what is moved into place keeps the time of its writing.
        stat(file, (error, found) => {
          if (error === null && found.ctimeMs >= readFrom && listeners.get(file) === listener) told(file)
        })
      }
    }
  }

  update(files, since)
  return {
    update,
    close() {
      clearTimeout(timer)
      for (const file of listeners.keys()) forget(file)
    },
  }
}

/** Whether the path leads to other contents; a mere access changes `atime` and is no change. A missing file is all zeros. */
function isOther(current: Stats, previous: Stats): boolean {
  return (
    current.ino !== previous.ino ||
    current.dev !== previous.dev ||
    current.size !== previous.size ||
    current.mtimeMs !== previous.mtimeMs
  )
}
