import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import { canonicalPath } from '../../src/proxy/path.ts'
import { requestHeaders } from '../../src/proxy/header_lines.ts'
import { upstreamPath } from '../../src/proxy/target.ts'
import { targetOf } from './harness.ts'

type Mode = 'refuse' | 'resolve'

function forwarded(raw: string, mode: Mode, basePath = '', stripPath = '', query = ''): string {
  const canonical = canonicalPath(raw, mode)
  if (canonical instanceof GatewayError) throw canonical
  const inbound: Inbound = {
    method: 'GET',
    scheme: 'http',
    host: 'h',
    ...canonical,
    query,
    headers: requestHeaders([]),
    remoteAddress: '127.0.0.1',
  }
  return upstreamPath(inbound, targetOf('http://u', { basePath, stripPath }), mode)
}

describe.each<Mode>(['refuse', 'resolve'])('%s', (mode) => {
  it.each([
    ['/x', '', '', '/x'],
    ['/x/', '', '', '/x/'],
    ['/', '', '', '/'],
    ['/', '/foo', '', '/foo'],
    ['/x', '/foo', '', '/foo/x'],
    ['/api/users', '', '/api', '/users'],
    ['/api/users/', '', '/api', '/users/'],
    ['/api/users', '/foo', '/api', '/foo/users'],
    ['/api', '', '/api', '/'],
    ['/api/', '', '/api', '/'],
    ['/api', '/foo', '/api', '/foo'],
    ['/api/', '/foo', '/api', '/foo/'],
    ['/apiary', '', '/api', '/apiary'],
    ['/api/a%20b', '', '/api', '/a%20b'],
    ['/%61pi/x', '', '/api', '/x'],
    ['/a%20b/x', '', '/a b', '/x'],
  ])('%j, base %j, strip %j: %j', (raw, base, strip, expected) => {
    expect(forwarded(raw, mode, base, strip)).toBe(expected)
  })

  it('the query is the client’s', () => {
    expect(forwarded('/x', mode, '/foo', '', 'a=%2F&b')).toBe('/foo/x?a=%2F&b')
  })
})

it('what is stripped is found anywhere with resolve, and only in front with refuse', () => {
  expect(forwarded('/v1/api/x', 'resolve', '', '/api')).toBe('/v1/x')
  expect(forwarded('/v1/api/x', 'refuse', '', '/api')).toBe('/v1/api/x')
  expect(forwarded('/foo', 'resolve', '/api/app1', '/api/app1')).toBe('/foo')
  expect(forwarded('/foo', 'refuse', '/api/app1', '/api/app1')).toBe('/api/app1/foo')
})

it('only the first occurrence goes, and only whole segments', () => {
  expect(forwarded('/apiary/api/api', 'resolve', '', '/api')).toBe('/apiary/api')
})
