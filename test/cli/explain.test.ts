import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, folder, writeGateway, type Folder, type Result } from './run.ts'

let files: Folder
let config: string
let session: string

beforeAll(() => {
  files = folder()
  config = writeGateway(files)
  session = files.write('whoami.json', {
    id: 's1',
    active: true,
    expires_at: '2999-01-01T00:00:00Z',
    identity: { id: 'alice' },
  })
})

afterAll(() => {
  files[Symbol.dispose]()
})

const explain = (...args: readonly string[]): Promise<Result> => cli(['explain', ...args, '-c', config])
const golden = (name: string): string => readFileSync(new URL(`golden/${name}.txt`, import.meta.url), 'utf8')

describe('explain', () => {
  it.each([
    ['allowed', ['GET', 'http://app.example/public/a/?q=1', '-H', 'X-Hasura-Role: admin', '-H', 'Accept: */*']],
    ['session', ['POST', 'http://app.example/notes', '--session', '$session']],
    ['denied', ['GET', 'https://app.example/closed']],
    ['no-rule', ['DELETE', 'https://app.example/notes']],
    ['front-gate', ['GET', 'http://app.example/public/../notes']],
  ])('%s', async (name, args) => {
    const { exitCode, out, err } = await explain(...args.map((arg) => (arg === '$session' ? session : arg)))
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toBe(golden(`explain-${name}`))
  })

  it('asks the session store unless a file stands in, and tells its outage', async () => {
    const { exitCode, out } = await explain(
      'GET',
      'http://app.example/notes',
      '-H',
      'Cookie: ory_kratos_session=secret-cookie',
    )
    expect(exitCode).toBe(0)
    expect(out).toContain('cookie_session    unavailable')
    expect(out).toContain('refused: 503 Service Unavailable\n  session_store_unavailable')
    expect(out).not.toContain('secret-cookie')
  })

  it.each([
    [['GET', '/notes'], '"/notes" is not the URL of a request'],
    [['GET', 'ftp://app.example/'], 'is not the URL of a request'],
    [['GET', 'http://app.example/', '-H', 'nonsense'], '"nonsense" is not a header'],
    [['GET', 'http://app.example/', '--session', '/no/such/file'], 'The session file /no/such/file does not exist.'],
  ])('%j is wrong usage', async (args, message) => {
    const { exitCode, err } = await explain(...args)
    expect(exitCode).toBe(2)
    expect(err).toContain(message)
  })

  it('says that methods are case-sensitive', async () => {
    const { out, err } = await explain('post', 'http://app.example/public/')
    expect(err).toBe('warning: Methods are case-sensitive: this is about POST, and post is refused with 400\n')
    expect(out).toMatch(/^POST http/)
  })

  it('names the session file when it is what is wrong', async () => {
    const expired = files.write('expired.json', {
      active: true,
      expires_at: '2001-01-01T00:00:00Z',
      identity: { id: 'a' },
    })
    const refused = await explain('GET', 'http://app.example/notes', '--session', expired)
    expect(refused.out).toContain('refused: 401')
    expect(refused.err).toMatch(/^note: The session file \S+expired\.json is not taken for a session: .*expired/)
    const wrong = await explain('GET', 'http://app.example/notes', '--session', files.write('text.json', 'no json'))
    expect(wrong).toMatchObject({ exitCode: 2, out: '' })
    expect(wrong.err).toMatch(/^error: The session file \S+text\.json is not JSON\.\n/)
  })

  it('shows the nearest of many rules', async () => {
    const many = Array.from({ length: 30 }, (_, index) => ({
      id: `r${index}`,
      match: { url: `http://app.example/${index}/<.*>`, methods: ['GET'] },
      authenticators: [{ handler: 'anonymous' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'noop' }],
      upstream: { url: 'http://127.0.0.1:9' },
    }))
    using other = folder()
    const crowded = writeGateway(other)
    other.write('rules.yaml', many)
    const { out } = await cli(['explain', 'GET', 'http://app.example/17', '-c', crowded])
    const table = out.split('\n').slice(2)
    expect(table[1]).toMatch(/^r17 .* no {6}GET http:\/\/app\.example\/17\/<\.\*>$/)
    expect(table[11]).toBe('… and 20 more')
    expect(out).not.toContain('mintkeeper explain')
  })

  it('shows what is wrong with the config first', async () => {
    const broken = files.write('broken.yaml', 'servee: {}\n')
    const { exitCode, err } = await cli(['explain', 'GET', 'http://h/', '-c', broken])
    expect(exitCode).toBe(1)
    expect(err).toContain('broken.yaml:1:1: error:')
    expect(err).toMatch(/error: The config cannot be used\.\n {2}Correct the errors above first\.\n$/)
  })
})
