/**
 * Makes `bin/`, the program, of `src/`: a few files instead of a thousand, because finding and opening files is most of what a
 * start would take. CommonJS, as importing node's own modules as ES modules evaluates everything that they could give, fetch
 * for one. The library in `dist/` stays as it is written, for bundlers of its users.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { rolldown } from 'rolldown'

const root = path.join(import.meta.dirname, '..')
const folder = path.join(root, 'bin')
const { peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  readonly peerDependencies: Readonly<Record<string, string>>
}

const bundle = await rolldown({
  input: {
    mintkeeper: path.join(root, 'src/bin.ts'),
    // Threads are given a file of their own, which is looked for beside the one that starts them.
    thread: path.join(root, 'src/tokens/claims/workers/thread.ts'),
  },
  platform: 'node',
  // What users add themselves is looked for where they have it.
  external: Object.keys(peerDependencies),
})
rmSync(folder, { recursive: true, force: true })
const { output } = await bundle.write({
  dir: folder,
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
})
await bundle.close()

const packages = new Set<string>()
for (const chunk of output) {
  if (chunk.type !== 'chunk') continue
  for (const file of chunk.moduleIds) {
    const [inPackages] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []
    if (inPackages !== undefined) packages.add(inPackages)
  }
}
writeFileSync(path.join(folder, 'LICENSES'), [...packages].toSorted().map(notice).join('\n\n'))

/** What the authors of a package want to be told wherever it goes. */
function notice(directory: string): string {
  const manifest = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8')) as {
    readonly name: string
    readonly version: string
    readonly license: string
  }
  const texts = readdirSync(directory).filter((file) => /^(?:licen[cs]e|notice)/i.test(file))
  const own = texts.map((file) => readFileSync(path.join(directory, file), 'utf8').trim())
  return [`${manifest.name} ${manifest.version} (${manifest.license})`, ...own].join('\n\n')
}
