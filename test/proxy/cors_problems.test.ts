/** Origins that are warned of when a config is loaded. */
import { describe, expect, it } from 'vitest'
import { loadGateway } from '../support/gateway.ts'

async function warnings(cors: object): Promise<unknown[]> {
  await using test = await loadGateway({ config: { serve: { proxy: { cors: { enabled: true, ...cors } } } } })
  return test.gateway.problems.map(({ severity, message, place }) => {
    expect(severity).toBe('warning')
    return [message.split(':')[0], typeof place === 'object' ? place.text.trim().replace(/,$/, '') : place]
  })
}

describe('allowed origins', () => {
  it.each([
    'https://*.com',
    'https://*example.com',
    '*.example.com',
    'https://app.*.example.com',
    'https://app.example.com/',
    'https://app.example.com:443',
    'app.example.com',
    'https://app.example.com/path',
  ])('%s allows nobody', async (origin) => {
    expect(await warnings({ allowed_origins: ['https://a.example', origin] })).toEqual([
      ['This origin allows nobody', JSON.stringify(origin)],
    ])
  })

  it.each(['https://*.co.uk', 'https://*.com.br:8443'])('%s allows too many', async (origin) => {
    expect(await warnings({ allowed_origins: [origin] })).toEqual([
      ['This origin allows whoever has a domain', JSON.stringify(origin)],
    ])
  })

  it('null is the origin of many', async () => {
    expect(await warnings({ allowed_origins: ['null'] })).toHaveLength(1)
  })

  it.each([
    'https://app.example.com',
    'http://localhost:3000',
    'https://*.example.com',
    'https://*.example.co.uk:8443',
    'https://APP.example.com',
    'capacitor://localhost',
    '*',
  ])('%s is fine', async (origin) => {
    expect(await warnings({ allowed_origins: [origin] })).toEqual([])
  })

  it.each([[{ allowed_origins: ['*'] }], [{ allowed_origins: [] }], [{}]])(
    'of everybody, with credentials: %j',
    async (origins) => {
      expect(await warnings({ ...origins, allow_credentials: true })).toMatchObject([
        ['Every web page may use the sessions of its visitors', expect.anything()],
      ])
    },
  )

  it('do not matter without CORS', async () => {
    expect(await warnings({ enabled: false, allowed_origins: ['nope'] })).toEqual([])
  })
})
