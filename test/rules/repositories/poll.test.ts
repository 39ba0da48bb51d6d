import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HttpGet } from '../../../src/rules/repositories/http.ts'
import { loadRepositories, type LoadedRepositories } from '../../../src/rules/repositories/load.ts'
import { pollRepositories } from '../../../src/rules/repositories/poll.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

interface WebServer {
  text: string
  status: number
  requests: number
  readonly get: HttpGet
}

/** A web server with one file; its ETag is its text. */
function webServer(text: string): WebServer {
  const server: WebServer = {
    text,
    status: 200,
    requests: 0,
    get: (_, { headers }) => {
      server.requests++
      const etag = JSON.stringify(server.text)
      const status = server.status === 200 && headers['if-none-match'] === etag ? 304 : server.status
      return Promise.resolve({
        status,
        headers: { get: (name) => (name === 'etag' ? etag : null) },
        body: bytes(server.text),
      })
    },
  }
  return server
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

function load(server: WebServer): Promise<LoadedRepositories> {
  return loadRepositories(['http://h/rules', 'inline://W10='], { missing: 'warn', get: server.get })
}

describe('pollRepositories', () => {
  const options = { interval: 60_000, random: () => 0 }

  it('tells of a change, once in each round, until the change is in force', async () => {
    const server = webServer('[]')
    let current = await load(server)
    const onChange = vi.fn<() => void>()
    const poll = pollRepositories({
      ...options,
      current: () => current,
      onChange,
      onProblem: vi.fn<() => void>(),
    })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(server.requests).toBe(2)
    expect(onChange).not.toHaveBeenCalled()

    server.text = '[{"id": "a"}]'
    await vi.advanceTimersByTimeAsync(60_000)
    expect(onChange).toHaveBeenCalledTimes(1)
    current = await load(server)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(onChange).toHaveBeenCalledTimes(1)
    poll.close()
  })

  it('tells once of a server that is in trouble, and goes on asking', async () => {
    const server = webServer('[]')
    const current = await load(server)
    const onProblem = vi.fn<() => void>()
    const poll = pollRepositories({
      ...options,
      current: () => current,
      onChange: vi.fn<() => void>(),
      onProblem,
    })
    server.status = 500
    await vi.advanceTimersByTimeAsync(180_000)
    expect(server.requests).toBe(4)
    expect(onProblem).toHaveBeenCalledTimes(1)
    server.status = 200
    await vi.advanceTimersByTimeAsync(60_000)
    server.status = 500
    await vi.advanceTimersByTimeAsync(60_000)
    expect(onProblem).toHaveBeenCalledTimes(2)
    poll.close()
  })

  it('asks earlier by chance, never later, and not at all once it is closed', async () => {
    const server = webServer('[]')
    const current = await load(server)
    const handlers = { onChange: vi.fn<() => void>(), onProblem: vi.fn<() => void>() }
    const poll = pollRepositories({ interval: 60_000, random: () => 0.5, current: () => current, ...handlers })
    await vi.advanceTimersByTimeAsync(57_000)
    expect(server.requests).toBe(2)
    poll.close()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(server.requests).toBe(2)
  })
})
