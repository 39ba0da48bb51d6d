import { afterEach, describe, expect, it } from 'vitest'
import { startRecorder } from '../support/recorder.ts'
import { cli, folder, spawnCli, type Spawned } from './run.ts'

const open: (() => unknown)[] = []

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

function proxy(...args: readonly string[]): Spawned {
  const spawned = spawnCli(['proxy', ...args])
  open.push(() => {
    spawned.child.kill('SIGKILL')
    return spawned.ended
  })
  return spawned
}

describe('proxy', () => {
  it('puts the application and Kratos on one address, says so, and stops when told to', async () => {
    const [app, kratos] = await Promise.all([startRecorder(), startRecorder()])
    open.push(() => Promise.all([app.close(), kratos.close()]))
    const files = folder()
    open.push(() => files[Symbol.dispose]())
    // Behind the user's back nothing is fixed: a config file lies over what the command line says.
    const config = files.write('more.yaml', 'log: { format: json }\n')
    const running = proxy(app.origin, '--kratos', kratos.origin, '--port', '0', '-c', config)
    const [, own = ''] = await running
      .errMatching(/keys of the JWTs\n/)
      .then(() => running.errMatching(/proxy {4}(\S+)/))
    expect((await fetch(`${own}/page`)).status).toBe(200)
    expect((await fetch(`${own}/.ory/health/alive`)).status).toBe(200)
    expect([app.requests[0]?.target, kratos.requests[0]?.target]).toEqual(['/page', '/health/alive'])
    running.child.kill('SIGINT')
    const { exitCode, out, err } = await running.ended
    expect(exitCode).toBe(0)
    expect(err).toContain(`  ${own}/ is ${app.origin}/\n  ${own}/.ory/ is Kratos at ${kratos.origin}/\n`)
    expect(err).toContain(`  ${own}/.ory/jwks.json has the keys of the JWTs\n`)
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { rule_id?: string }).rule_id),
    ).toEqual(expect.arrayContaining(['ory_proxy:application', 'ory_proxy:kratos']))
  })

  it.each([
    [['--kratos', 'http://k'], /missing required argument 'upstream'/],
    [['http://localhost:3000'], /required option '--kratos <url>' not specified/],
    [['localhost:3000', '--kratos', 'http://k'], /It must be an http or https URL/],
    [['http://a', 'http://localhost:4000/path', '--kratos', 'http://k'], /It must be an origin, without a path/],
    [['http://a', '--kratos', 'http://k', '--port', '65536'], /It must be a number up to 65535/],
    [['http://a', '--kratos', 'http://k', '--kratos-header', 'no line'], /It must be a header line/],
    [['http://a', '--kratos', 'http://k', '-c', 'nowhere.yaml'], /nowhere\.yaml does not exist/],
  ])('refuses %j', async (args, message) => {
    const { exitCode, err } = await cli(['proxy', ...args])
    expect(exitCode).toBe(2)
    expect(err).toMatch(message)
  })

  it('refuses a PORT that is none', async () => {
    const { exitCode, err } = await cli(['proxy', 'http://a', '--kratos', 'http://k'], { PORT: 'web' })
    expect(exitCode).toBe(2)
    expect(err).toContain('The variable PORT is no port: web.')
  })
})
