/** What people are told about broken configs, as text: test/golden/problems/NAME.yaml and NAME.txt. */
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { formatProblem } from '../../src/documents/problem.ts'
import { builtinHandlers } from '../../src/pipeline/builtin.ts'

const folder = new URL('../golden/problems/', import.meta.url)
const files = readdirSync(folder).filter((file) => /\.(yaml|json)$/.test(file))

describe('problems read as agreed', () => {
  it.each(files)('%s', async (file) => {
    const read = (path: string): Promise<string> => readFile(new URL(basename(path), folder), 'utf8')
    const { config, problems } = await loadConfig({
      files: [file],
      env: { SERVE_API_PORT: 'many' },
      handlers: builtinHandlers,
      read,
    })
    expect(config).toBeUndefined()
    const text = `${problems.map((problem) => formatProblem(problem)).join('\n\n')}\n`
    await expect(text).toMatchFileSnapshot(new URL(file.replace(/\.\w+$/, '.txt'), folder).pathname)
  })
})
