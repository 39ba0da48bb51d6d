import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FileWatch, watchFiles } from '../../src/documents/watch.ts'

let folder: string
let watch: FileWatch | undefined
let onChange: (changed: readonly string[]) => void

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watch-'))
})

afterEach(() => {
  watch?.close()
  rmSync(folder, { recursive: true, force: true })
})

function start(files: readonly string[]): void {
  watch = watchFiles(files, (changed) => onChange(changed), { interval: 20, settle: 30 })
}

/** Makes a change, again and again, until it is told: the first look at a file may fall after the first change. */
function told(
  change: (round: number) => void,
  matches: (changed: readonly string[]) => boolean,
): Promise<readonly string[]> {
  return new Promise((resolve) => {
    let round = 0
    change(round)
    const timer = setInterval(() => {
      round += 1
      change(round)
    }, 80)
    onChange = (changed) => {
      if (!matches(changed)) return
      clearInterval(timer)
      resolve(changed)
    }
  })
}

const nothing = (): void => undefined
const always = (): boolean => true

describe('watchFiles', () => {
  it('tells of a change in place, a deletion and a new file', async () => {
    const file = join(folder, 'a.yaml')
    start([file])
    const write = (round: number): void => writeFileSync(file, 'x'.repeat(round + 1))
    await told(write, always)
    rmSync(file)
    await told(nothing, (changed) => changed.includes(file) && !existsSync(file))
    write(0)
    await told(nothing, (changed) => changed.includes(file) && existsSync(file))
    expect(existsSync(file)).toBe(true)
  })

  it('tells of a change between the reading of a file and the first look at it', async () => {
    const [read, changed] = ['read.yaml', 'changed.yaml'].map((name) => join(folder, name)) as [string, string]
    writeFileSync(read, 'a')
    // File systems keep time less finely than clocks do: `since` is the time that they gave the last write.
    const since = statSync(read).ctimeMs + 1
    let late = since
    while (late <= since) {
      writeFileSync(changed, 'b')
      late = statSync(changed).ctimeMs
    }
    const telling = new Promise<readonly string[]>((resolve) => {
      onChange = resolve
    })
    watch = watchFiles([read, changed], (files) => onChange(files), { interval: 20, settle: 30, since })
    expect(await telling).toEqual([changed])
  })

  it('tells of a file that went and came back as it was', async () => {
    const [file, aside] = [join(folder, 'a.yaml'), join(folder, 'aside')]
    writeFileSync(file, 'x')
    start([file])
    const seen = new Set<'gone' | 'back'>()
    await told(
      () => (existsSync(file) ? renameSync(file, aside) : renameSync(aside, file)),
      () => seen.add(existsSync(file) ? 'back' : 'gone').size === 2,
    )
    expect([...seen].sort()).toEqual(['back', 'gone'])
  })

  it('sees through the symbolic links of a ConfigMap', async () => {
    // As kubelet does it: file -> ..data/file, ..data -> a dated folder, and an update renames a new ..data over the old.
    const publish = (round: number): void => {
      const name = `..2026_${round}`
      mkdirSync(join(folder, name))
      writeFileSync(join(folder, name, 'rules.yaml'), 'same size')
      symlinkSync(name, join(folder, '..data_tmp'))
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    }
    publish(0)
    const file = join(folder, 'rules.yaml')
    symlinkSync(join('..data', 'rules.yaml'), file)
    start([file])
    const first = await told((round) => publish(round + 1), always)
    expect(first).toEqual([file])
    // Each of the swaps counts, not only the first.
    const second = await told((round) => publish(round + 1000), always)
    expect(second).toEqual([file])
  })

  it('follows the set of files it is given', async () => {
    const [first, second] = [join(folder, 'a'), join(folder, 'b')]
    start([first])
    watch?.update([second])
    const changed = await told((round) => {
      for (const file of [first, second]) writeFileSync(file, 'x'.repeat(round + 1))
    }, always)
    expect(changed).toEqual([second])
  })

  it('tells of several changes together', async () => {
    const files = [join(folder, 'a'), join(folder, 'b')]
    start(files)
    const seen = new Set<string>()
    await told(
      (round) => {
        for (const file of files) writeFileSync(file, 'x'.repeat(round + 1))
      },
      (changed) => {
        for (const file of changed) seen.add(file)
        return seen.size === 2
      },
    )
    expect([...seen].sort()).toEqual(files)
  })

  it('does not take reading for a change', async () => {
    const [read, written] = [join(folder, 'a'), join(folder, 'b')]
    writeFileSync(read, 'x')
    utimesSync(read, 1, 1)
    start([read, written])
    const changed = await told((round) => {
      // The time of access changes, whatever the file system's own habits are.
      utimesSync(read, round + 2, 1)
      writeFileSync(written, 'x'.repeat(round + 1))
    }, always)
    expect(changed).toEqual([written])
  })
})
