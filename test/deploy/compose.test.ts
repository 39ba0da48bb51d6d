import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { interpolated, isPinned, mintkeeper, root, text, yaml, type Run } from './files.ts'

type Environment = Readonly<Record<string, string>>

interface Service {
  readonly image: string
  readonly command?: string | readonly string[]
  readonly environment?: Environment
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly healthcheck?: { readonly test?: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

const file = yaml('docker-compose.yml')
const { services, volumes } = file as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const all = Object.entries(services)

interface Mount {
  readonly source: string
  readonly target: string
}

const mounts = (service: Service | undefined): Mount[] =>
  (service?.volumes ?? []).map((mount) => {
    const [source = '', target = ''] = mount.split(':')
    return { source, target }
  })

const service = (name: string): Service => {
  const found = services[name]
  if (found === undefined) throw new Error(`no service ${name}`)
  return found
}

/** How a service tells that others can use it: it ends, or it has a check. */
function readiness(name: string): string {
  if (name === 'keys' || name === 'kratos-migrate') return 'service_completed_successfully'
  // Mintkeeper's own check comes with its image.
  const checked = name === 'mintkeeper' || service(name).healthcheck?.test !== undefined
  return checked ? 'service_healthy' : 'nothing tells'
}

describe('docker-compose.yml', () => {
  it('is what the Compose specification calls valid', () => {
    const schema = JSON.parse(text('test/vectors/compose-spec.json')) as z.core.JSONSchema.JSONSchema
    // Its `$schema` has an address of draft 7 that is not the official one.
    const compose = z.fromJSONSchema({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' })
    expect(compose.safeParse(file)).toMatchObject({ success: true })
    expect(compose.safeParse({ services: { a: { imag: 'typo' } } })).toMatchObject({ success: false })
  })

  it.each(all)('%s has an image of one version', (_, { image }) => {
    expect(isPinned(image)).toBe(true)
  })

  it.each(all)('%s mounts only what is there', (_, each) => {
    const missing = mounts(each).filter(({ source }) =>
      source.startsWith('.') ? !existsSync(path.join(root, source)) : !(source in volumes),
    )
    expect(missing).toEqual([])
  })

  it.each(all)('%s waits for services until they are ready', (_, each) => {
    const waits = Object.entries(each.depends_on ?? {})
    const asked = waits.map(([name, { condition }]) => `${name}: ${condition}`)
    expect(asked).toEqual(waits.map(([name]) => `${name}: ${readiness(name)}`))
  })

  it('opens the gateway alone, and to this machine alone', () => {
    const published = all.filter(([, { ports }]) => ports !== undefined)
    expect(published.map(([name, { ports }]) => [name, ports])).toEqual([
      ['mintkeeper', ['127.0.0.1:4455:4455', '127.0.0.1:4456:4456']],
    ])
  })

  it('shows the private key to nobody but the gateway', () => {
    const holders = (volume: string): string[] =>
      all.filter(([, each]) => mounts(each).some(({ source }) => source === volume)).map(([name]) => name)
    expect(holders('signing-key')).toEqual(['keys', 'mintkeeper'])
    expect(holders('public-key')).toEqual(['keys', 'postgrest'])
  })
})

describe('the gateway that it starts', () => {
  /** Stands for the containers' file systems. */
  let machine: string
  let made: Run
  const state = '/var/lib/mintkeeper'
  const here = (value: string): string => interpolated(value).replaceAll(state, path.join(machine, 'state'))

  beforeAll(async () => {
    machine = mkdtempSync(path.join(tmpdir(), 'mintkeeper-compose-'))
    for (const folder of ['private', 'public']) mkdirSync(path.join(machine, 'state', folder), { recursive: true })
    for (const { source, target } of mounts(services['mintkeeper'])) {
      if (source.startsWith('.')) cpSync(path.join(root, source), path.join(machine, target), { recursive: true })
    }
    made = await mintkeeper((service('keys').command as readonly string[]).map(here), { cwd: machine })
  })

  afterAll(() => rmSync(machine, { recursive: true, force: true }))

  const run = (...args: readonly string[]): Promise<Run> => {
    const environment = Object.entries(service('mintkeeper').environment ?? {})
    return mintkeeper([...args, '-c', 'mintkeeper.yaml'], {
      cwd: path.join(machine, 'etc', 'mintkeeper'),
      env: Object.fromEntries(environment.map(([name, value]) => [name, here(value)])),
    })
  }

  it('has a key, whose public half is where PostgREST looks for it', () => {
    expect(made).toMatchObject({ exitCode: 0, out: '' })
    const { volumes: mounted = [], environment } = service('postgrest')
    expect(mounted).toContain(`public-key:${state}/public:ro`)
    const secret = (environment?.['PGRST_JWT_SECRET'] ?? '').replace(/^@/u, '')
    const { keys } = JSON.parse(readFileSync(here(secret), 'utf8')) as { keys: object[] }
    expect(keys).toMatchObject([{ kty: 'EC', alg: 'ES256' }])
    expect(keys[0]).not.toHaveProperty('d')
  })

  it('accepts its config, its rules and its key', async () => {
    const { exitCode, out, err } = await run('validate')
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toMatch(/^ok: \d rules, \d upstreams, 1 signing key set, profile secure$/mu)
  })

  it.each(['login', 'registration', 'settings', 'error'] as const)('leads to the page %s of Kratos', async (flow) => {
    const { selfservice } = yaml('deploy/kratos/kratos.yaml') as {
      selfservice: { flows: Record<typeof flow, { ui_url: string }> }
    }
    const { exitCode, out } = await run('explain', 'GET', selfservice.flows[flow].ui_url)
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: expect.stringContaining('kratos:ui') })
  })

  it('is known to Kratos and to its UI under its own address', () => {
    const { serve } = yaml('deploy/kratos/kratos.yaml') as { serve: { public: { base_url: string } } }
    const browser = service('kratos-ui').environment?.['KRATOS_BROWSER_URL']
    expect(serve.public.base_url).toBe(`${service('mintkeeper').environment?.['PUBLIC_URL']}/.ory/kratos/public/`)
    expect(`${browser}/`).toBe(serve.public.base_url)
  })

  it('calls the upstreams by the names of services', () => {
    const upstreams = Object.values(service('mintkeeper').environment ?? {}).filter((value) => value.startsWith('http'))
    const hosts = upstreams.map((url) => new URL(url).hostname).filter((name) => name !== '127.0.0.1')
    expect(hosts.length).toBeGreaterThan(4)
    expect(hosts.filter((name) => services[name] === undefined)).toEqual([])
  })

  it('is who Hasura asks for keys, under a name that the API answers to', () => {
    const { environment = {} } = service('hasura')
    const { jwk_url: url } = JSON.parse(environment['HASURA_GRAPHQL_JWT_SECRET'] ?? '{}') as { jwk_url: string }
    expect(url).toBe('http://mintkeeper:4456/.well-known/jwks.json')
    expect(service('mintkeeper').environment?.['SERVE_API_ALLOWED_HOSTS']).toBe('mintkeeper')
  })
})

describe('Hasura', () => {
  it('has metadata whose parts are all there', () => {
    const folder = 'deploy/compose/hasura/metadata/databases'
    const [database] = yaml(`${folder}/databases.yaml`) as [{ tables: string }]
    const tables = database.tables.replace('!include ', '')
    const included = yaml(`${folder}/${tables}`) as string[]
    const parts = included.map((each) =>
      path.posix.join(folder, path.posix.dirname(tables), each.replace('!include ', '')),
    )
    expect(parts.map((part) => yaml(part))).toMatchObject([{ table: { schema: 'api', name: 'notes' } }])
  })
})
