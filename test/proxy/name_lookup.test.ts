/** Upstreams whose names the resolver does not answer about. */
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startServer } from '../support/http_server.ts'
import { allow, secure, startProxy, targetOf } from './harness.ts'

describe('a resolver that hangs', () => {
  it('rel-042: ends in the time to connect, and keeps nobody else waiting', async () => {
    await using upstream = await startServer((_request, response) => void response.end('here'))
    const { port } = new URL(upstream.url)
    const asked: string[] = []
    let hung: (() => void) | undefined
    const hangs: LookupFunction = (name, options, callback) => {
      asked.push(name)
      if (name === 'localhost') lookup(name, { ...options, family: 4 }, callback)
      else if (asked.filter((other) => other === name).length === 1) hung?.()
    }
    const proxy = await startProxy(
      ({ path }) => allow(targetOf(path === '/lost' ? 'http://lost.example' : `http://localhost:${port}`)),
      secure,
      { upstreams: { lookup: hangs, connectTimeout: 3000 } },
    )
    try {
      const get = async (path: string) => fetch(`http://127.0.0.1:${proxy.port}${path}`)
      const begun = new Promise<void>((resolve) => (hung = resolve))
      let lostAnswers = 0
      const lost = Array.from({ length: 8 }, async () => {
        const { status } = await get('/lost')
        lostAnswers++
        return status
      })
      await begun
      // More than libuv has threads for look-ups.
      for (let index = 0; index < 8; index++) expect(await (await get('/here')).text()).toBe('here')
      expect(lostAnswers).toBe(0)
      for (const status of await Promise.all(lost)) expect([502, 504]).toContain(status)
      expect(asked).toContain('localhost')
    } finally {
      await proxy.close()
    }
  })
})
