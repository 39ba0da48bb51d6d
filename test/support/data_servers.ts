/** What the tests with real data servers have in common: a database, keys, a stand-in for Kratos, and PostGraphile. */
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { enhanceHttpServerWithWebSockets, postgraphile, type Plugin } from 'postgraphile'
import { createStandIn, type StandIn } from '../../demo/stand-in/server.ts'
import { cli, folder } from '../cli/run.ts'
import { startDatabase, type Database } from './postgrest.ts'

export interface DataServers {
  readonly database: Database
  readonly kratos: StandIn
  /** File of the key set that signs. */
  readonly keys: string
  /** File of its public half. */
  readonly publicKeys: string
}

/** They end with the stack. */
export async function startDataServers(stack: AsyncDisposableStack): Promise<DataServers> {
  const database = stack.use(await startDatabase())
  const files = stack.use(folder())
  const [keys, publicKeys] = [files.file('id_token.json'), files.file('public.jwks.json')]
  await cli(['jwks', 'generate', '--out', keys, '--public-out', publicKeys])
  const kratos = await createStandIn({})
  stack.defer(() => kratos.close())
  return { database, kratos, keys, publicKeys }
}

/** Tells a person by PostgREST's claims, which are one JSON, and by PostGraphile's, which are single settings. */
export const subjectFunction = `
  create or replace function api.subject() returns uuid language sql stable as $$
    select coalesce(
      nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub',
      nullif(current_setting('jwt.claims.sub', true), '')
    )::uuid
  $$;
`

export interface PostgraphileOptions {
  /** Of the database. */
  readonly uri: string
  /** File of the public key set. */
  readonly keys: string
  /** Present: WebSockets of both protocols, with the subscriptions of this plugin. */
  readonly subscriptions?: Plugin
}

/** Serves `/graphql` until the stack ends; returns the origin. */
export async function servePostgraphile(
  stack: AsyncDisposableStack,
  { uri, keys, subscriptions }: PostgraphileOptions,
): Promise<string> {
  const { keys: jwks } = JSON.parse(readFileSync(keys, 'utf8')) as { keys: JsonWebKey[] }
  const handler = postgraphile(uri, 'api', {
    jwtPublicKey: createPublicKey({ key: jwks[0] ?? {}, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
    jwtVerifyOptions: { algorithms: ['ES256'], audience: 'postgraphile' },
    jwtRole: ['role'],
    pgDefaultRole: 'anon',
    graphqlRoute: '/graphql',
    disableQueryLog: true,
    retryOnInitFail: false,
    ...(subscriptions !== undefined && {
      subscriptions: true,
      websockets: ['v0', 'v1'],
      websocketOperations: 'all',
      appendPlugins: [subscriptions],
    }),
  })
  const server = createServer((request, response) => void handler(request, response))
  if (subscriptions !== undefined) await enhanceHttpServerWithWebSockets(server, handler)
  stack.defer(async () => {
    server.closeAllConnections()
    await promisify(server.close.bind(server))()
    await handler.release()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
