/** PostgreSQL, PostgREST and PostGraphile behind a gateway, with a stand-in for Kratos: what real clients talk to. */
import type { Client } from 'pg'
import type { Plugin } from 'postgraphile'
import type { StandIn } from '../../demo/stand-in/server.ts'
import { servePostgraphile, startDataServers, subjectFunction } from '../support/data_servers.ts'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'

export interface Stack extends AsyncDisposable {
  readonly kratos: StandIn
  readonly gateway: ListeningGateway
  /** Origins of the servers themselves. */
  readonly direct: { readonly postgrest: string; readonly postgraphile: string }
  /** A connection of the superuser. */
  readonly admin: Client
}

/** Tells of new notes; a person by the claims of PostGraphile, too. */
const schema = `
  ${subjectFunction}
  create unique index notes_owner_text on api.notes (owner, text);
  create function api.count_notes() returns bigint language sql stable as $$ select count(*) from api.notes $$;
  create function api.tell() returns trigger language plpgsql as $$
    begin perform pg_notify('notes', new.text); return new; end
  $$;
  create trigger tell after insert on api.notes for each row execute function api.tell();
`

export async function startStack(): Promise<Stack> {
  const stack = new AsyncDisposableStack()
  try {
    const { database, kratos, keys, publicKeys } = await startDataServers(stack)
    const { fill, connect } = database.postgres
    const uri = await fill(
      ['one', 'two', 'three']
        .map((text) => ({ owner: kratos.alice.id, text }))
        .concat({ owner: kratos.bob.id, text: 'b' }),
    )
    const admin = await connect()
    stack.defer(() => admin.end())
    await admin.query(schema)
    const listener = await connect()
    stack.defer(() => listener.end())
    await listener.query('listen notes')
    const direct = {
      postgrest: (await database.servePostgrest(uri, publicKeys)).url,
      postgraphile: await servePostgraphile(stack, { uri, keys: publicKeys, subscriptions: notesPlugin(listener) }),
    }
    const gateway = stack.use(await startGateway(gatewayInput(kratos, keys, direct)))
    const owned = stack.move()
    return { kratos, gateway, direct, admin, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** `subscription { noteAdded }`: the subject of the token, and each new note. */
const notesPlugin =
  (listener: Client): Plugin =>
  (builder) => {
    // The server's own copy of graphql: it takes no types of another.
    builder.hook('GraphQLSchema', (config: object, { graphql: { GraphQLObjectType, GraphQLString } }) => ({
      ...config,
      subscription: new GraphQLObjectType({
        name: 'Subscription',
        fields: {
          noteAdded: {
            type: GraphQLString,
            subscribe: () => notes(listener),
            resolve: (text: string, _args, context: { readonly jwtClaims?: { readonly sub?: string } }) =>
              `${context.jwtClaims?.sub ?? 'nobody'}: ${text}`,
          },
        },
      }),
    }))
  }

function notes(listener: Client): AsyncIterableIterator<string> {
  const waiting: ((result: IteratorResult<string>) => void)[] = []
  const queued: string[] = []
  const tell = ({ payload = '' }): void => {
    const next = waiting.shift()
    if (next === undefined) queued.push(payload)
    else next({ done: false, value: payload })
  }
  listener.on('notification', tell)
  return {
    next: () =>
      new Promise((resolve) => {
        const value = queued.shift()
        if (value === undefined) waiting.push(resolve)
        else resolve({ done: false, value })
      }),
    return: () => {
      listener.off('notification', tell)
      for (const resolve of waiting) resolve({ done: true, value: undefined })
      return Promise.resolve({ done: true, value: undefined })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

function gatewayInput(kratos: StandIn, keys: string, { postgrest, postgraphile: graphile }: Stack['direct']) {
  const on = { enabled: true }
  const whoami = { check_session_url: `${kratos.publicUrl}/sessions/whoami`, subject_from: 'identity.id' }
  const rule = (name: string, url: string, websocket?: object): object => ({
    id: name,
    match: {
      url: `http://127.0.0.1:<[0-9]+>/${name}<(/.*)?>`,
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    },
    authenticators: [{ handler: 'cookie_session' }, { handler: 'bearer_token' }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'id_token' }],
    upstream: { url, strip_path: `/${name}`, ...(websocket !== undefined && { websocket }) },
  })
  return {
    rules: [
      rule('postgrest', postgrest),
      rule('upgrade', graphile, { recheck: '100ms', graphql: {} }),
      rule('payload', graphile, { graphql: { credentials: 'payload' } }),
      rule('plain', graphile, { graphql: { credentials: 'payload_headers' } }),
    ],
    config: {
      profile: 'secure',
      authenticators: {
        cookie_session: { enabled: true, config: whoami },
        bearer_token: { enabled: true, config: { ...whoami, prefix: 'ory_st_' } },
      },
      authorizers: { allow: on },
      mutators: {
        id_token: {
          enabled: true,
          config: {
            jwks_url: `file://${keys}`,
            issuer_url: 'https://gateway.example/',
            claims: { aud: ['postgrest', 'postgraphile'], role: 'authenticated' },
          },
        },
      },
    },
  }
}
