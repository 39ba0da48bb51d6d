import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { expect, it } from 'vitest'

const main = path.join(import.meta.dirname, '..', '..', 'bench', 'main.ts')

it('npm run bench checks the answers, measures and prints every target', { timeout: 90_000 }, async () => {
  const little = ['--rounds', '1', '--seconds', '0.2', '--warm-up', '0.1']
  const args = [...little, '--workloads', 'get', '--rules', '10', '--workers', '']
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  expect(output).toMatch(/\| target +\| requests\/s \| p50 ms \| p99 ms \| CPU µs\/request \|/)
  expect(output.match(/^\| Mintkeeper, .*\| +0 \|$/gm)).toHaveLength(6)
  expect(code).toBe(0)
})
