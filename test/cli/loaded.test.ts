import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { folder, spawnCli } from './run.ts'

const hooks = new URL('../support/loaded.mjs', import.meta.url).href
const source = fileURLToPath(new URL('../../src/', import.meta.url))

interface Loaded {
  /** Of the files in `src`. */
  readonly files: readonly string[]
  readonly packages: readonly string[]
  /** Whether node has loaded what `fetch` and `Request` are made of. */
  readonly withFetch: boolean
}

async function loadedBy(args: readonly string[]): Promise<Loaded> {
  const { err } = await spawnCli(args, {}, ['--import', hooks]).ended
  const [, json = ''] = /^loaded (.*)$/m.exec(err) ?? []
  const { urls, withFetch } = JSON.parse(json) as { readonly urls: readonly string[]; readonly withFetch: boolean }
  const paths = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url))
  const packages = paths.map((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
  return {
    files: paths.filter((path) => path.startsWith(source)).map((path) => path.slice(source.length)),
    packages: [...new Set(packages.filter((name) => name !== undefined))],
    withFetch,
  }
}

describe('what a command loads', () => {
  it.each([
    { args: ['version'] },
    { args: ['--help'] },
    // Nobody listens on port 1: it has asked when it fails.
    { args: ['health', 'ready', '-e', 'http://127.0.0.1:1'] },
  ])('$args: neither the gateway nor what only the gateway needs', async ({ args }) => {
    const { files, packages, withFetch } = await loadedBy(args)
    expect(files).toContain('cli/main.ts')
    expect(
      files.filter((file) => /^(gateway|load|listeners|planes)\.ts$|_run\.ts$|^(config|proxy|api)\//.test(file)),
    ).toEqual([])
    expect(packages).toEqual(['commander'])
    expect(withFetch).toBe(false)
  })

  it('serve: not what only other commands or other configs need', async () => {
    using config = folder()
    const { files, packages } = await loadedBy(['serve', '-c', config.write('config.yaml', 'profile: unknown\n')])
    expect(files).toContain('gateway.ts')
    expect(files.filter((file) => file.startsWith('cli/') && file.endsWith('_run.ts'))).toEqual(['cli/serve_run.ts'])
    expect(files.filter((file) => /^(workers\/(primary|worker)|ory_proxy\/)/.test(file))).toEqual([])
    expect(packages).not.toContain('pg')
    expect(packages).not.toContain('ioredis')
  })
})
