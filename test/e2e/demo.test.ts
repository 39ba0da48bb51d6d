import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const main = path.join(import.meta.dirname, '..', '..', 'demo', 'main.ts')

const demo = async (...args: string[]): Promise<{ code: number | null; output: string }> => {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

describe('npm run demo', () => {
  it('works: every step of --check', { timeout: 90_000 }, async () => {
    const { code, output } = await demo('--check')
    expect(output).not.toContain('FAILED')
    expect(output).toMatch(/The demo works\.\n$/)
    expect(output.match(/^ {2}ok /gm)).toHaveLength(11)
    expect(code).toBe(0)
  })

  it('says which port is taken and how to move', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const { port } = blocker.address() as AddressInfo
    const { code, output } = await demo('--port', String(port))
    blocker.close()
    expect(output).toBe(
      `Port ${port}, meant for Mintkeeper's proxy, is taken.\n` +
        `Stop what uses it, or move the demo: npm run demo -- --port ${port + 1000}\n`,
    )
    expect(code).toBe(1)
  })

  it.each([
    ['--port', 'abc'],
    ['--port', '80'],
    ['--prot', '5000'],
  ])('refuses %s %s in one sentence', async (...args) => {
    const { code, output } = await demo(...args)
    expect(output.trim()).not.toContain('    at ')
    expect(code).toBe(1)
  })
})
