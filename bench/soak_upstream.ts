/**
 * What stands behind the gateway in `npm run soak`, a process of its own: a session store that knows every cookie, and a data
 * server that believes no token without checking it against the gateway's key set. `node bench/soak_upstream.ts <port> <api port>`
 */
import { createServer, type IncomingMessage } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const [port, api] = process.argv.slice(2).map(Number)
const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${api}/.well-known/jwks.json`), {
  cooldownDuration: 500,
  cacheMaxAge: 10_000,
})
/** Epoch seconds at which a token that was found good ends; the newest few thousand. */
const good = new Map<string, number>()
const MAX_GOOD = 5000

const session = (cookie: string): string =>
  JSON.stringify({
    id: `session-${cookie}`,
    active: true,
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    authenticated_at: new Date(0).toISOString(),
    identity: { id: `identity-${cookie}`, schema_id: 'default', traits: { email: `${cookie}@example.org` } },
  })

const refusal = async ({ headers }: IncomingMessage): Promise<string | undefined> => {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (token === undefined) return 'no token'
  const end = good.get(token)
  if (end !== undefined) return end > Date.now() / 1000 ? undefined : 'expired'
  try {
    const { payload } = await jwtVerify(token, keys)
    if (good.size >= MAX_GOOD) good.delete(good.keys().next().value ?? '')
    good.set(token, payload.exp ?? 0)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

createServer((request, response) => {
  const answer = (status: number, text: string): void => {
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    response.end(text)
  }
  if (request.url === '/sessions/whoami') {
    answer(200, session(/ory_kratos_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''))
    return
  }
  void refusal(request).then((why) => answer(why === undefined ? 200 : 401, JSON.stringify({ refused: why })))
}).listen(port, '127.0.0.1')
