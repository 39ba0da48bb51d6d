/** What graphql-http's audits of servers find, with and without the gateway: it must neither spoil nor mend anything. */
import { createRequire } from 'node:module'
import type * as Graphql from 'graphql'
import { serverAudits } from 'graphql-http'
import { createHandler } from 'graphql-http/lib/use/http'
import { expect, it } from 'vitest'
import { startGateway } from '../support/gateway.ts'
import { startServer } from '../support/http_server.ts'

// The copy of graphql that graphql-http uses: it takes no schema of another.
const { buildSchema } = createRequire(import.meta.url)('graphql') as typeof Graphql

it('every audit of graphql-http has the same result through the gateway', async () => {
  const handler = createHandler({ schema: buildSchema('type Query { hello: String }'), rootValue: { hello: 'world' } })
  await using server = await startServer((request, response) => void handler(request, response))
  await using gateway = await startGateway({
    config: {
      profile: 'secure',
      authenticators: { anonymous: { enabled: true } },
      authorizers: { allow: { enabled: true } },
      mutators: { noop: { enabled: true } },
    },
    rules: [
      {
        id: 'graphql',
        match: { url: 'http://127.0.0.1:<[0-9]+>/graphql', methods: ['GET', 'POST'] },
        authenticators: [{ handler: 'anonymous' }],
        authorizer: { handler: 'allow' },
        mutators: [{ handler: 'noop' }],
        upstream: { url: server.url },
      },
    ],
  })
  const audit = async (url: string): Promise<readonly (readonly [id: string, name: string, status: string])[]> => {
    const audits = serverAudits({ url, fetchFn: fetch })
    const results = await Promise.all(audits.map(({ fn }) => fn()))
    return results.map(({ id, name, status }) => [id, name, status])
  }
  const through = await audit(`${gateway.proxy}/graphql`)
  expect(through.length).toBeGreaterThan(50)
  expect(through).toEqual(await audit(`${server.url}/graphql`))
  expect(through.filter(([, , status]) => status !== 'ok')).toEqual([])
})
