/** A gateway that keeps sessions for an hour, before a Kratos whose two APIs are reached through it as well. */
import { createStandIn, type SignedIn, type StandIn } from '../../demo/stand-in/server.ts'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { startServer } from '../support/http_server.ts'

export interface Arranged extends AsyncDisposable {
  readonly standIn: StandIn
  readonly gateway: ListeningGateway
  /** The gateway's addresses of Kratos' public and admin API. */
  readonly publicUrl: string
  readonly adminUrl: string
  /** Alice, twice, and Bob. */
  readonly users: readonly [SignedIn, SignedIn, SignedIn]
  /** Another gateway of the same Kratos. */
  another(): Promise<ListeningGateway>
  /** Who of the three is let in by what is remembered or by Kratos. */
  letIn(gateway?: Pick<ListeningGateway, 'proxy'>): Promise<readonly boolean[]>
  /** Which sessions Kratos is not asked for. */
  remembered(gateway?: Pick<ListeningGateway, 'proxy'>): Promise<readonly boolean[]>
}

export interface Arrangement {
  /** Lies over the config. */
  readonly config?: Readonly<Record<string, unknown>>
  /** By the addresses of Kratos. */
  readonly kratos?: (standIn: StandIn) => object
  readonly cache?: object
}

const on = { enabled: true }
const api = (path: string, url: string): object => ({
  id: path,
  match: { url: `<https?>://<[^/]+>/${path}/<.*>`, methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
  authenticators: [{ handler: 'noop' }],
  authorizer: { handler: 'allow' },
  mutators: [{ handler: 'noop' }],
  upstream: { url, strip_prefix: `/${path}`, credentials: 'pass' },
})

/** Use it with `await using`. Everybody has been asked for once. */
export async function arrange({ config = {}, kratos, cache = { ttl: '1h' } }: Arrangement = {}): Promise<Arranged> {
  const standIn = await createStandIn()
  const upstream = await startServer((_request, response) => response.end('in'))
  const gateways: ListeningGateway[] = []
  const start = async (): Promise<ListeningGateway> => {
    const gateway = await startGateway({
      config: {
        profile: 'secure',
        authenticators: {
          noop: on,
          cookie_session: {
            ...on,
            config: {
              check_session_url: `${standIn.publicUrl}/sessions/whoami`,
              subject_from: 'identity.id',
              extra_from: '@this',
              cache,
            },
          },
        },
        authorizers: { allow: on },
        mutators: { noop: on },
        errors: { fallback: ['json'], handlers: { json: on } },
        kratos: { public_url: standIn.publicUrl, admin_url: standIn.adminUrl, ...kratos?.(standIn) },
        log: { level: 'info' },
        ...config,
      },
      rules: [
        {
          id: 'app',
          match: { url: '<https?>://<[^/]+>/', methods: ['GET'] },
          authenticators: [{ handler: 'cookie_session' }],
          authorizer: { handler: 'allow' },
          mutators: [{ handler: 'noop' }],
          upstream: { url: upstream.url },
        },
        {
          id: 'privileged',
          match: { url: '<https?>://<[^/]+>/privileged', methods: ['GET'] },
          authenticators: [{ handler: 'cookie_session', config: { require: { max_age: '1h' } } }],
          authorizer: { handler: 'allow' },
          mutators: [{ handler: 'noop' }],
          upstream: { url: upstream.url },
        },
        api('public', standIn.publicUrl),
        api('internal', standIn.adminUrl),
      ],
    })
    gateways.push(gateway)
    return gateway
  }
  const gateway = await start()
  const users = [standIn.signIn(standIn.alice), standIn.signIn(standIn.alice), standIn.signIn(standIn.bob)] as const
  const letIn = (by: Pick<ListeningGateway, 'proxy'> = gateway): Promise<readonly boolean[]> =>
    Promise.all(
      users.map(async ({ cookie }) => {
        const response = await fetch(`${by.proxy}/`, { headers: { Cookie: cookie } })
        await response.text()
        return response.status === 200
      }),
    )
  const questions = (): readonly number[] => users.map(({ token }) => standIn.calls.get(token) ?? 0)
  if ((await letIn()).includes(false)) throw new Error(gateway.log.join(''))
  return {
    standIn,
    gateway,
    publicUrl: `${gateway.proxy}/public`,
    adminUrl: `${gateway.proxy}/internal`,
    users,
    another: start,
    letIn,
    async remembered(by) {
      const before = questions()
      await letIn(by)
      return questions().map((count, index) => count === before[index])
    },
    async [Symbol.asyncDispose]() {
      for (const each of gateways) await each[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
      await standIn.close()
    },
  }
}

/** Milliseconds until `check` gives true, asking again and again; fails after ten seconds. */
export async function timeUntil(check: () => boolean | Promise<boolean>): Promise<number> {
  const start = performance.now()
  while (!(await check())) {
    if (performance.now() - start > 10_000) throw new Error('it has not come about')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return performance.now() - start
}
