import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openClient } from '../support/raw-client.ts'
import { atEnd, listen, newFolder, ports, serve } from './processes.ts'
import { spawnCli, writeGateway } from './run.ts'

describe('serve', () => {
  it('tells where it listens, serves, and stops when told to', async () => {
    const gateway = serve(['serve', 'all', '--disable-telemetry', '--sqa-opt-out', '-c', writeGateway(newFolder())])
    const { proxy, api } = await ports(gateway)
    expect((await fetch(`http://127.0.0.1:${api}/health/ready`)).status).toBe(200)
    const requests = Array.from({ length: 150 }, () => fetch(`http://127.0.0.1:${proxy}/nowhere`))
    for (const { status } of await Promise.all(requests)) expect(status).toBe(404)
    gateway.child.kill('SIGTERM')
    const { exitCode, out, err } = await gateway.ended
    expect(exitCode).toBe(0)
    expect(err).toMatch(/^Mintkeeper \d+\.\d+\.\d+ \(profile secure\)\n/)
    expect(err).toContain('SIGTERM: finishing what is under way; once more to stop at once.')
    // On stdout there is the log and nothing else.
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const told = { reason: 'rule_not_found', status: 404, granted: false }
    expect(lines.filter(({ msg }) => msg === 'Access request denied')).toEqual(
      requests.map(() => expect.objectContaining(told) as unknown),
    )
  })

  it('takes -c before the command, several files and lists of them', async () => {
    const files = newFolder()
    const config = writeGateway(files)
    const more = files.write('more.yaml', 'authenticators: { noop: { enabled: true } }\n')
    const last = files.write('last.yaml', 'profile: oathkeeper\n')
    const gateway = serve(['-c', `${config},${more}`, 'serve', '-c', last])
    await gateway.errMatching(/\(profile oathkeeper\)/)
    gateway.child.kill('SIGINT')
    expect((await gateway.ended).exitCode).toBe(0)
  })

  it('refuses a config with mistakes, and says where they are', async () => {
    const files = newFolder()
    const { exitCode, out, err } = await serve(['serve', '-c', files.write('bad.yaml', 'log:\n  levl: info\n')]).ended
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
    expect(err).toContain('bad.yaml:2:3: error: Unknown key "levl" in "log"')
    expect(err).toContain('\nRules, keys and templates were not checked; correct the config first.\n')
    expect(err).toMatch(/error: Not started because of 1 error in config or rules\.\n.*mintkeeper validate.*\n$/)
  })

  it('names the port that is taken, and the key that sets it', async () => {
    const taken = await listen(createServer())
    const free = { host: '127.0.0.1', port: 0 }
    const config = writeGateway(newFolder(), {
      serve: { proxy: free, api: { ...free, port: taken }, prometheus: free },
    })
    const { exitCode, err } = await serve(['serve', '-c', config]).ended
    expect(exitCode).toBe(1)
    expect(err).toContain(`error: Cannot listen on 127.0.0.1:${taken}: another program listens there.`)
    expect(err).toContain("The port is the config's serve.api.port: set another one there or with SERVE_API_PORT")
  })

  it('names the host that is not of this machine, and the key that sets it', async () => {
    const free = { host: '127.0.0.1', port: 0 }
    const config = writeGateway(newFolder(), {
      serve: { proxy: { ...free, host: '203.0.113.9' }, api: free, prometheus: free },
    })
    const { exitCode, err } = await serve(['serve', '-c', config]).ended
    expect(exitCode).toBe(1)
    expect(err).toContain('error: Cannot listen on 203.0.113.9:0: ')
    expect(err).toContain(
      "The host is the config's serve.proxy.host: set an address of this machine there or with SERVE_PROXY_HOST",
    )
  })

  it('finishes requests before it stops, and does not when told twice', async () => {
    const upstream = createServer((_, response) => response.writeHead(200).write('begun'))
    const port = await listen(upstream)
    const files = newFolder()
    const config = writeGateway(files)
    files.write('rules.yaml', [
      {
        id: 'slow',
        match: { url: 'http://app.example/slow', methods: ['GET'] },
        authenticators: [{ handler: 'anonymous' }],
        authorizer: { handler: 'allow' },
        mutators: [{ handler: 'noop' }],
        upstream: { url: `http://127.0.0.1:${port}` },
      },
    ])
    const gateway = serve(['serve', '-c', config])
    const client = await openClient((await ports(gateway)).proxy)
    atEnd(() => client.close())
    client.write('GET /slow HTTP/1.1\r\nHost: app.example\r\n\r\n')
    await client.until((bytes) => bytes.includes('begun'))
    gateway.child.kill('SIGINT')
    await gateway.errMatching(/SIGINT: finishing/)
    expect(gateway.child.exitCode).toBeNull()
    gateway.child.kill('SIGINT')
    const { exitCode, err } = await gateway.ended
    expect(exitCode).toBe(1)
    expect(err).toContain('SIGINT again: stopping at once.')
  })

  it('rel-029: goes on accepting while it drains after SIGTERM, and says that it is not ready', async () => {
    const free = { host: '127.0.0.1', port: 0 }
    const config = writeGateway(newFolder(), {
      serve: { proxy: free, api: free, prometheus: free, shutdown: { drain: '1h' } },
    })
    const gateway = serve(['serve', '-c', config])
    const { proxy, api } = await ports(gateway)
    const statuses: number[] = []
    const enough = new AbortController()
    // One connection for each request.
    const traffic = (async () => {
      while (!enough.signal.aborted) {
        const client = await openClient(proxy)
        client.write('GET /nowhere HTTP/1.1\r\nHost: app.example\r\n\r\n')
        statuses.push((await client.response()).status)
        client.close()
      }
    })()
    await expect.poll(() => statuses.length).toBeGreaterThan(5)
    const keptAlive = await openClient(proxy)
    atEnd(() => keptAlive.close())
    gateway.child.kill('SIGTERM')
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${api}/health/ready`)).status).toBe(503)
    const before = statuses.length
    await expect.poll(() => statuses.length).toBeGreaterThan(before + 20)
    enough.abort()
    await traffic
    expect(new Set(statuses)).toEqual(new Set([404]))
    keptAlive.write('GET /nowhere HTTP/1.1\r\nHost: app.example\r\n\r\n')
    expect((await keptAlive.response()).header('connection')).toBe('close')
    gateway.child.kill('SIGTERM')
    expect(await gateway.ended).toMatchObject({ exitCode: 1 })
  })

  it.each([
    ['SIGTERM', '20ms'],
    ['SIGINT', '1h'],
  ] as const)('ends by itself after %s with a drain of %s', async (signal, drain) => {
    const free = { host: '127.0.0.1', port: 0 }
    const serving = { proxy: free, api: free, prometheus: free, shutdown: { drain } }
    const gateway = serve(['serve', '-c', writeGateway(newFolder(), { serve: serving })])
    await ports(gateway)
    gateway.child.kill(signal)
    expect(await gateway.ended).toMatchObject({ exitCode: 0 })
  })

  it('reloads on SIGHUP, and keeps what is in force when the files got worse', async () => {
    const files = newFolder()
    const config = writeGateway(files)
    const good = readFileSync(config, 'utf8')
    const gateway = serve(['serve', '-c', config])
    const { api } = await ports(gateway)
    const logged = (message: string): Promise<void> =>
      new Promise((resolve) => {
        const look = (text: string): void => {
          if (!text.includes(message)) return
          gateway.child.stdout.off('data', look)
          resolve()
        }
        gateway.child.stdout.on('data', look)
      })
    const ready = async (): Promise<unknown> => (await fetch(`http://127.0.0.1:${api}/health/ready`)).json()

    files.write('config.json', '{')
    const refused = logged('Reload refused')
    gateway.child.kill('SIGHUP')
    await refused
    expect(await ready()).toMatchObject({
      status: 'degraded',
      reload: { problems: [expect.stringContaining('config.json:1:')] },
    })
    expect(await (await fetch(`http://127.0.0.1:${api}/rules`)).json()).toHaveLength(3)

    files.write('rules.yaml', '[]')
    files.write('config.json', good)
    const reloaded = logged('"Reloaded"')
    gateway.child.kill('SIGHUP')
    await reloaded
    expect(await (await fetch(`http://127.0.0.1:${api}/rules`)).json()).toEqual([])
  })
})

describe('a crash', () => {
  it('leak-010: prints its stack, and nothing of a request', async () => {
    const secret = 'ory_st_4Tn0bFz7kQmC2wYhXv8sLrJdE6uAgP1i'
    const fault = `Object.assign(new Error('boom ${secret}'),{headers:{cookie:'s3'+'cret'},body:'s3'+'cret'})`
    const plant = `data:text/javascript,process.on('SIGUSR2',()=>{throw ${fault}})`
    const gateway = serve(['serve', '-c', writeGateway(newFolder())], ['--import', plant])
    const { proxy } = await ports(gateway)
    await fetch(`http://127.0.0.1:${proxy}/nowhere`)
    gateway.child.kill('SIGUSR2')
    const { exitCode, out, err } = await gateway.ended
    expect(exitCode).toBe(1)
    expect(out).toContain('"reason":"rule_not_found"')
    expect(err).toMatch(/error: Mintkeeper failed unexpectedly\.\n.*report.*\nError: boom \[redacted\]\n {4}at /)
    expect(out + err).not.toContain('s3cret')
    expect(out + err).not.toContain(secret)
  })
})

describe('the executable', () => {
  it('says which Node it needs on one that is too old', async () => {
    const pretend = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'22.18.0'})"
    const { exitCode, out, err } = await spawnCli(['version'], {}, ['--import', pretend]).ended
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toContain('Mintkeeper needs Node.js 22.19 or newer')
  })

  it('exits with 2 for wrong usage and 0 for help', async () => {
    const [wrong, help] = await Promise.all([spawnCli(['nope']).ended, spawnCli(['--help']).ended])
    expect(wrong).toMatchObject({ exitCode: 2, out: '' })
    expect(help).toMatchObject({ exitCode: 0, err: '' })
  })

  it('has no colour where no terminal is', async () => {
    const { err } = await spawnCli(['nope']).ended
    expect(err).not.toContain('\u001B')
  })
})
