/** What Oathkeeper's proxy does with URLs, headers and failures, and where this one differs on purpose. */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { HeaderEdit } from '../../src/pipeline/contract/headers.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import { compileCors } from '../../src/proxy/cors.ts'
import { readInbound } from '../../src/proxy/inbound.ts'
import { upstreamPath } from '../../src/proxy/target.ts'
import { sendRaw } from '../support/raw-client.ts'
import { startRecorder } from '../support/recorder.ts'
import type { Recorder } from '../support/recorder.ts'
import { allow, compatible, refuse, startProxy, targetOf } from './harness.ts'
import type { Harness } from './harness.ts'

interface Case {
  readonly id: string
  readonly group: string
  readonly given: {
    readonly mode?: string
    readonly tls?: boolean
    readonly trust_forwarded_headers?: boolean
    readonly upstream?: { readonly url?: string; readonly strip_path?: string; readonly preserve_host?: boolean }
    readonly mutators?: readonly (string | { readonly header: Readonly<Record<string, string>> })[]
    readonly rules?: unknown
  }
  readonly when: {
    readonly host?: string
    readonly path?: string
    readonly request?: string
    readonly event?: string
    readonly headers?: Readonly<Record<string, string>>
  }
  readonly expect: {
    readonly match_string?: string
    readonly url?: string
    readonly host?: string
    readonly status?: number
    readonly desired?: string
    readonly upstream_headers?: Readonly<Record<string, string>>
    readonly upstream_absent_headers?: readonly string[]
    readonly upstream_host?: string
    readonly upstream_path?: string
  }
}

const file = new URL('../vectors/oathkeeper.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }
const group = (name: string): Case[] => cases.filter((one) => one.group === name)

function read(one: Case, url: string): Inbound {
  const { given, when } = one
  const rawHeaders = ['Host', when.host ?? 'h', ...Object.entries(when.headers ?? {}).flat()]
  const settings = { ...compatible, trustForwardedHeaders: given.trust_forwarded_headers ?? false }
  const peer = { address: '127.0.0.1', tls: given.tls ?? false }
  const inbound = readInbound({ method: 'GET', url, httpVersion: '1.1', rawHeaders }, peer, settings)
  if (inbound instanceof GatewayError) throw inbound
  return inbound
}

describe('what is matched', () => {
  // An empty path reaches a server only as `/` (RFC 9112 section 3.2.1).
  it.each(group('match_url_construction').filter(({ given }) => given.mode === 'proxy'))('$id', (one) => {
    const { path = '' } = one.when
    const { scheme, host, path: matched } = read(one, path === '' ? '/' : path)
    expect(`${scheme}://${host}${matched}`).toBe(`${one.expect.match_string}${path === '' ? '/' : ''}`)
  })
})

describe('where it is forwarded', () => {
  const differences: Readonly<Record<string, string>> = {
    // The client's trailing slash is kept.
    'proxy-backend-url-012': 'http://u/a/',
    'proxy-backend-url-013': 'http://u/a/',
    // An escaped slash is decoded with the rest, so that what is matched is what is forwarded.
    'proxy-backend-url-015': 'http://u/a/b',
    // strip_path takes whole segments.
    'proxy-backend-url-017': 'http://u/apiary',
  }

  it.each(group('proxy_backend_url').filter(({ given }) => given.upstream?.url !== ''))('$id', (one) => {
    const { url = '', strip_path: strip = '', preserve_host: preserveHost = false } = one.given.upstream ?? {}
    const { origin, pathname, host } = new URL(url)
    const stripPath = strip === '' ? '' : `/${strip.replaceAll(/^\/|\/$/g, '')}`
    const target = targetOf(origin, { basePath: pathname.replace(/\/$/, ''), stripPath, preserveHost })
    const inbound = read(one, one.when.path ?? '/')
    const expected = new URL(differences[one.id] ?? one.expect.url ?? '')
    expect(origin + upstreamPath(inbound, target, 'resolve')).toBe(expected.href)
    const sent = preserveHost ? inbound.host : host
    expect(sent).toBe(one.expect.host ?? sent)
  })
})

describe('on the wire', () => {
  let upstream: Recorder
  let proxy: Harness

  beforeAll(async () => {
    upstream = await startRecorder()
    proxy = await startProxy(() => allow(targetOf(upstream.origin)), compatible)
  })
  afterEach(() => {
    upstream.reset()
    proxy.reset()
  })
  afterAll(async () => {
    await proxy.close()
    await upstream.close()
  })

  const send = (path = '/', headers: Readonly<Record<string, string>> = {}, host = 'gw.example') =>
    sendRaw(
      proxy.port,
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    )

  it.each(group('proxy_headers').filter(({ given }) => given.rules === undefined))('$id', async (one) => {
    const { given, when, expect: expected } = one
    const edits = (given.mutators ?? []).flatMap((mutator): HeaderEdit[] =>
      typeof mutator === 'string' ? [] : Object.entries(mutator.header),
    )
    const strip = given.upstream?.strip_path ?? ''
    proxy.settings = { ...compatible, trustForwardedHeaders: given.trust_forwarded_headers ?? false }
    proxy.decide = () =>
      allow(
        targetOf(upstream.origin, {
          preserveHost: given.upstream?.preserve_host ?? false,
          stripPath: strip.replace(/\/$/, ''),
        }),
        { edits },
      )
    expect((await send(when.path, when.headers, when.host)).status).toBe(200)
    const request = upstream.requests[0]!
    for (const [name, value] of Object.entries(expected.upstream_headers ?? {}))
      expect(request.all(name)).toEqual([value])
    for (const name of expected.upstream_absent_headers ?? []) expect(request.all(name)).toEqual([])
    expect(request.target).toBe(expected.upstream_path ?? request.target)
    const host = expected.upstream_host?.replace('<upstream host>', `127.0.0.1:${upstream.port}`)
    expect(request.all('host')).toEqual([host ?? request.all('host')[0]])
  })

  it.each(group('proxy_headers').filter(({ given }) => given.rules !== undefined))('$id', async (one) => {
    const { given, when } = one
    proxy.settings = { ...compatible, trustForwardedHeaders: given.trust_forwarded_headers ?? false }
    // A rule for each scheme; of the two for one path, that for http denies.
    proxy.decide = ({ scheme, path }) => {
      if (path === '/https-only' && scheme === 'http') return refuse(new GatewayError('access_denied'))
      return path === `/${scheme}` || path === '/https-only'
        ? allow(targetOf(upstream.origin))
        : refuse(new GatewayError('rule_not_found'))
    }
    const path = when.path ?? new URL(when.request?.split(' ')[1] ?? '').pathname
    expect((await send(path, when.headers)).status).toBe(one.expect.status)
  })

  it('proxy-errors: a name that cannot be resolved is an empty 502', async () => {
    proxy.decide = () => allow(targetOf('http://does-not-exist.invalid:80'))
    const response = await send()
    expect(response.status).toBe(502)
    expect(response.body).toHaveLength(0)
    expect(response.header('content-type')).toBeUndefined()
  })

  it('proxy-errors: an upstream that says nothing is an empty 504', async () => {
    upstream.respond = () => undefined
    proxy.settings = { ...compatible, timeouts: { ...compatible.timeouts, responseHeaders: 100 } }
    const response = await send()
    expect(response.status).toBe(504)
    expect(response.body).toHaveLength(0)
    expect(await proxy.recorded(1)).toMatchObject({ outcome: 'failed', code: 'upstream_timeout', status: 504 })
  })

  it.each([400, 401, 403, 404, 500, 502, 503])(
    'proxy-errors: %d of the upstream passes with its body',
    async (status) => {
      upstream.respond = () => `HTTP/1.1 ${status} X\r\nContent-Length: 4\r\nX-From: up\r\n\r\noops`
      const response = await send()
      expect(response.status).toBe(status)
      expect(response.body.toString()).toBe('oops')
      expect(response.header('x-from')).toBe('up')
      expect(await proxy.recorded(1)).toMatchObject({ outcome: 'allowed', status })
    },
  )

  it('proxy-errors, proxy-backend-url-018: a rule without upstream is a 500', async () => {
    proxy.decide = () => allow(undefined)
    const response = await send()
    expect(response.status).toBe(500)
    expect(JSON.parse(response.body.toString())).toEqual({
      error: {
        code: 500,
        status: 'Internal Server Error',
        message: 'An internal server error occurred, please contact the system administrator',
      },
    })
  })

  it('proxy-errors-007: a preflight is answered without a rule, and a refusal carries permission, too', async () => {
    const cors = compileCors({
      allowedOrigins: ['https://app.example'],
      allowedMethods: ['GET'],
      allowedHeaders: [],
      exposedHeaders: [],
      allowCredentials: false,
      maxAge: 0,
    })
    proxy.settings = { ...compatible, cors }
    const preflight = await sendRaw(
      proxy.port,
      'OPTIONS /x HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n\r\n',
    )
    expect(preflight.status).toBe(204)
    expect(preflight.header('access-control-allow-origin')).toBe('https://app.example')
    expect(proxy.inbounds).toEqual([])
    expect(await proxy.recorded(1)).toMatchObject({ outcome: 'answered', status: 204 })
    proxy.decide = () => refuse(new GatewayError('rule_not_found'))
    const refused = await send('/x', { Origin: 'https://app.example' })
    expect(refused.status).toBe(404)
    expect(refused.header('access-control-allow-origin')).toBe('https://app.example')
  })
})
