/** What the upstream and the session store answer, and what the client asks: the same for everything that is measured. */

/** 1024 bytes of JSON. */
export const body = JSON.stringify({ data: 'x'.repeat(1024 - '{"data":""}'.length) })

export const identityOf = (number: string): string => `a11ce000-0000-4000-8000-000000000${number}`

const timestamp = '2026-01-01T00:00:00Z'

/** A session as Kratos shows it, of a user of their own for each number of three digits. */
export const sessionJson = (number: string): string =>
  JSON.stringify({
    id: `5e551000-0000-4000-8000-000000000${number}`,
    active: true,
    expires_at: '2100-01-01T00:00:00Z',
    authenticated_at: timestamp,
    authenticator_assurance_level: 'aal1',
    authentication_methods: [{ method: 'password', aal: 'aal1', completed_at: timestamp }],
    issued_at: timestamp,
    identity: {
      id: identityOf(number),
      schema_id: 'default',
      schema_url: 'http://127.0.0.1/schemas/ZGVmYXVsdA',
      state: 'active',
      state_changed_at: timestamp,
      traits: { email: 'alice@example.com', name: { first: 'Alice', last: 'Liddell' } },
      verifiable_addresses: [
        { id: 'v', value: 'alice@example.com', verified: true, via: 'email', status: 'completed' },
      ],
      recovery_addresses: [{ id: 'r', value: 'alice@example.com', via: 'email' }],
      metadata_public: { role: 'user' },
      created_at: timestamp,
      updated_at: timestamp,
      organization_id: null,
    },
    devices: [{ id: 'd', ip_address: '192.0.2.1', user_agent: 'Mozilla/5.0', location: '' }],
  })

/** How many digits at the end of a request's head may be replaced, and what stands behind them. */
export const cookieDigits = 12
export const afterCookie = '\r\n\r\n'

export type Head = (port: number, path: string) => string

/** The head of a request with the headers and the cookies of a browser; the session's cookie stands last. */
export const requestHead =
  (method: 'GET' | 'POST', bodySize: number): Head =>
  (port, path) =>
    [
      `${method} ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Accept: application/json, text/plain, */*',
      'Accept-Language: en-US,en;q=0.5',
      'Accept-Encoding: gzip, deflate, br, zstd',
      ...(bodySize > 0 ? ['Content-Type: application/json', `Content-Length: ${bodySize}`] : []),
      `Referer: http://127.0.0.1:${port}/`,
      'Sec-Fetch-Dest: empty',
      'Sec-Fetch-Mode: cors',
      'Sec-Fetch-Site: same-origin',
      'Connection: keep-alive',
      `Cookie: theme=dark; _ga=GA1.1.123456789.1700000000; ory_kratos_session=${'MTc2'.repeat(58)}`,
      '',
      '',
    ].join('\r\n')
