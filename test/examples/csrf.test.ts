/** The examples for data servers, as they stand: their cookies do not count in requests that another site causes. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createGateway } from '../../src/index.ts'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { root } from '../deploy/files.ts'
import { sessionOf } from '../security/setup.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'

const host = 'http://127.0.0.1:4455'

/** What an example decides about a request with a session cookie. */
async function statusOf(name: string, method: string, url: string, headers: Record<string, string>): Promise<number> {
  await using store = await startServer((_request, response) =>
    response.end(
      JSON.stringify(sessionOf('alice', { identity: { id: 'alice', traits: { email: 'alice@example.com' } } })),
    ),
  )
  const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-example-'))
  try {
    cpSync(path.join(root, 'examples', name), folder, { recursive: true })
    writeFileSync(path.join(folder, 'id_token.json'), JSON.stringify(await generateKeySet({ alg: 'ES256' })))
    // Paths in the example are relative to the working directory, which is the test's own here.
    const here = (file: string): string => `file://${path.join(folder, file)}`
    writeFileSync(
      path.join(folder, 'test.json'),
      JSON.stringify({
        access_rules: { repositories: [here('rules.yaml')] },
        mutators: { id_token: { config: { jwks_url: here('id_token.json') } } },
      }),
    )
    const gateway = await createGateway({
      configFiles: ['mintkeeper.yaml', 'test.json'].map((file) => path.join(folder, file)),
      env: { KRATOS_PUBLIC_URL: store.url },
      logTarget: { write: () => undefined },
    })
    const cookie = { Cookie: 'ory_kratos_session=ALICE' }
    const decision = await gateway.decide(inboundOf(url, { method, headers: { ...cookie, ...headers } }))
    await gateway.close(0)
    return decision.allowed ? 200 : decision.answer.status
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const json = { 'Content-Type': 'application/json', 'Content-Length': '2' }
const own = { 'Sec-Fetch-Site': 'same-origin', Origin: host }
const foreign = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }

describe.each([
  ['hasura', `${host}/v1/graphql`],
  ['postgrest', `${host}/rest/notes`],
])('examples/%s', (name, url) => {
  it.each<[string, string, Record<string, string>, number]>([
    ['a page of its own', 'POST', { ...own, ...json }, 200],
    ['a program', 'POST', json, 200],
    ['a page of another site', 'POST', { ...foreign, ...json }, 403],
    ['a form of another site', 'POST', { ...foreign, 'Content-Type': 'text/plain', 'Content-Length': '2' }, 403],
    ['a form of an old browser', 'POST', { 'Content-Type': 'text/plain', 'Content-Length': '2' }, 403],
    ['a page of its own that reads', 'GET', { 'Sec-Fetch-Site': 'same-origin' }, 200],
    ['a page of another site that reads', 'GET', { 'Sec-Fetch-Site': 'cross-site' }, name === 'hasura' ? 403 : 200],
  ])('%s: %s', async (_, method, headers, status) => {
    expect(await statusOf(name, method, url, headers)).toBe(status)
  })
})
