/** `serve.proxy.endpoints`: what the proxy answers itself. */
import { expect, it } from 'vitest'
import { ruleOf } from '../pipeline/scenario.ts'
import { startGateway } from '../support/gateway.ts'
import { startRecorder } from '../support/recorder.ts'

const on = { enabled: true }
const set = {
  keys: [{ kty: 'OKP', kid: 'one', alg: 'EdDSA', use: 'sig', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' }],
} // prettier-ignore
const config = (endpoints: readonly unknown[]): object => ({
  serve: { proxy: { endpoints, cors: { enabled: true } } },
  authenticators: { anonymous: on },
  authorizers: { allow: on },
  mutators: {
    noop: on,
    id_token: {
      enabled: true,
      config: {
        issuer_url: 'http://gateway/',
        jwks_url: `base64://${Buffer.from(JSON.stringify(set)).toString('base64')}`,
      },
    },
  },
})

it('publishes the keys at the usual path and at others, before any rule, and only when told to', async () => {
  const upstream = await startRecorder()
  const rules = [{ ...ruleOf({}), upstream: { url: upstream.origin } }]
  try {
    await using test = await startGateway({
      config: config(['jwks', { name: 'jwks', path: '/keys.json' }]),
      rules,
    })
    for (const path of ['/.well-known/jwks.json', '/keys.json?x=1']) {
      const response = await fetch(test.proxy + path, { headers: { origin: 'https://app.example' } })
      expect(response.status).toBe(200)
      expect(response.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      const { keys } = (await response.json()) as typeof set
      expect(keys).toEqual([expect.objectContaining({ kid: 'one', crv: 'Ed25519' })])
      expect(keys[0]).not.toHaveProperty('d')
    }
    const head = await fetch(`${test.proxy}/keys.json`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    // Not among the answers of the gateway's own: a rule decides.
    expect((await fetch(`${test.proxy}/keys.json/x`)).headers.get('cache-control')).toBeNull()
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/keys.json/x'])

    upstream.reset()
    await using plain = await startGateway({ config: config([]), rules })
    await fetch(`${plain.proxy}/.well-known/jwks.json`)
    expect(upstream.requests).toHaveLength(1)
  } finally {
    await upstream.close()
  }
})
