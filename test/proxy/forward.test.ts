import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { startRecorder } from '../support/recorder.ts'
import type { Recorder } from '../support/recorder.ts'
import { allow, startProxy, targetOf } from './harness.ts'
import type { Harness } from './harness.ts'

let upstream: Recorder
let proxy: Harness

beforeAll(async () => {
  upstream = await startRecorder()
  proxy = await startProxy(() => allow(targetOf(upstream.origin)))
})
afterEach(() => {
  upstream.reset()
  proxy.reset()
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: gw.example\r\n${headers}\r\n`

describe('one request', () => {
  it('reaches the upstream and its answer the client', async () => {
    const response = await sendRaw(proxy.port, get('/a/b?c=d'))
    expect(response.status).toBe(200)
    expect(response.body.toString()).toBe('ok')
    expect(upstream.requests).toHaveLength(1)
    expect(upstream.requests[0]?.target).toBe('/a/b?c=d')
    expect(upstream.requests[0]?.all('host')).toEqual([`127.0.0.1:${upstream.port}`])
    expect(await proxy.recorded(1)).toMatchObject({
      method: 'GET',
      status: 200,
      outcome: 'allowed',
      ruleId: 'rule',
      session: { subject: 'alice' },
      upstream: upstream.origin,
      remoteAddress: '127.0.0.1',
    })
  })

  it('is followed by another on the same connection', async () => {
    const client = await openClient(proxy.port)
    for (const path of ['/1', '/2', '/3']) {
      client.write(get(path))
      expect((await client.response()).status).toBe(200)
    }
    client.close()
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/1', '/2', '/3'])
    expect(new Set(upstream.requests.map(({ connection }) => connection)).size).toBe(1)
  })
})
