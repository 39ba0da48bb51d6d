import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logDecision, type DecisionRecord } from '../../src/telemetry/decision_log.ts'
import { createLog, type LogSettings } from '../../src/telemetry/log.ts'

function capture(settings: LogSettings = { format: 'json' }, tty = false) {
  const lines: string[] = []
  const log = createLog(settings, { write: (line) => lines.push(line), isTTY: tty })
  const only = (): Record<string, unknown> => {
    expect(lines).toHaveLength(1)
    return JSON.parse(lines[0] ?? '') as Record<string, unknown>
  }
  return { log, lines, only }
}

const record: DecisionRecord = {
  method: 'GET',
  clientIp: '192.0.2.1',
  scheme: 'https',
  host: 'app.example',
  path: '/v1/notes',
  userAgent: 'curl/8',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  granted: true,
  ruleId: 'notes',
  session: { subject: 'alice', id: 'session-1' },
  status: 200,
  durationMs: 1.23456,
  upstream: 'http://postgrest:3000',
}

describe('createLog', () => {
  it('writes one JSON object per line with level, time and message', () => {
    const { log, only } = capture()
    log.info({ port: 4455 }, 'Listening')
    expect(only()).toEqual({ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), port: 4455, msg: 'Listening' })
  })

  it.each([
    ['panic', 0],
    ['fatal', 0],
    ['error', 1],
    ['warning', 2],
    ['info', 3],
    ['debug', 4],
    ['trace', 4],
  ])("understands Oathkeeper's level %s", (level, count) => {
    const { log, lines } = capture({ level, format: 'json' })
    log.debug({}, 'd')
    log.info({}, 'i')
    log.warn({}, 'w')
    log.error({}, 'e')
    expect(lines).toHaveLength(count)
    expect(log.enabled('debug')).toBe(count === 4)
  })

  it('redacts fields and messages', () => {
    const { log, lines } = capture({
      format: 'json',
      redaction_text: '<gone>',
      additional_redacted_headers: ['X-Tenant'],
    })
    log.warn({ cookie: 'a=b', x_tenant: 'acme', url: 'http://u:p@h/' }, 'with Bearer abcdefgh12345')
    expect(lines[0]).toContain('"cookie":"<gone>","x_tenant":"<gone>","url":"http://<gone>@h/"')
    expect(lines[0]).toContain('with Bearer <gone>')
  })

  it('writes text for people on a terminal, and JSON for machines, when the format is text', () => {
    const human = capture({ format: 'text' }, true)
    human.log.warn({ port: 1, note: 'two words', err: new Error('boom') }, 'Watch\u001B[2J out')
    expect(human.lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} WARN  Watch\uFFFD\[2J out port=1 note="two words"\n {4}Error: boom\n/,
    )
    const machine = capture({ format: 'text' })
    machine.log.warn({}, 'x')
    expect(machine.only()).toMatchObject({ level: 'warn' })
  })

  it('writes GELF and indented JSON when asked', () => {
    const gelf = capture({ format: 'gelf' })
    gelf.log.error({ rule_id: 'r', id: 7, list: [1] }, 'm')
    expect(gelf.only()).toMatchObject({
      version: '1.1',
      short_message: 'm',
      level: 3,
      timestamp: expect.any(Number),
      _rule_id: 'r',
      _field_id: 7,
      _list: '[1]',
    })
    const pretty = capture({ format: 'json_pretty' })
    pretty.log.info({ a: 1 }, 'm')
    expect(pretty.lines[0]).toContain('\n  "a": 1,\n')
  })
})

describe('logDecision', () => {
  it('tells who was let through, with the session hashed', () => {
    const { log, only } = capture()
    logDecision(log, record)
    expect(only()).toEqual({
      level: 'info',
      time: expect.any(String),
      msg: 'Access request granted',
      granted: true,
      client_ip: '192.0.2.1',
      http_method: 'GET',
      http_url: 'https://app.example/v1/notes',
      http_host: 'app.example',
      http_user_agent: 'curl/8',
      rule_id: 'notes',
      subject: 'alice',
      session: '84097828',
      reason: 'allowed',
      status: 200,
      duration_ms: 1.23,
      upstream: 'http://postgrest:3000',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    })
  })

  it.each([
    ['credentials_invalid', 401, 'info', 'authentication_handler_error'],
    ['access_denied', 403, 'info', 'authorization_handler_error'],
    ['rule_not_found', 404, 'info', undefined],
    ['session_store_unavailable', 503, 'warn', 'authentication_handler_error'],
    ['template_failed', 500, 'warn', 'mutation_handler_error'],
    ['internal_error', 500, 'error', undefined],
  ] as const)('tells a refusal with %s at %s as %s', (code, status, level, reasonId) => {
    const { log, only } = capture()
    logDecision(log, {
      ...record,
      granted: false,
      session: undefined,
      upstream: undefined,
      code,
      status,
      detail: 'why',
    })
    const line = only()
    expect(line).toMatchObject({
      level,
      msg: 'Access request denied',
      granted: false,
      reason: code,
      status,
      detail: 'why',
    })
    expect(line['reason_id']).toBe(reasonId)
    expect(line).not.toHaveProperty('stack')
  })

  it('shows of a request that the front gate refused who sent it, and what, cut short', () => {
    const { log, only } = capture()
    const target = `http://me:pass@app.example/..\u0001/${'a'.repeat(1000)}`
    const refused = { granted: false, code: 'request_invalid', status: 400, target } as const
    logDecision(log, { ...record, ...refused, scheme: '', host: 'app.example, other', path: '' })
    const line = only()
    expect(line).toMatchObject({ client_ip: '192.0.2.1', http_host: 'app.example, other', reason: 'request_invalid' })
    expect(line).not.toHaveProperty('http_url')
    expect(line['http_target']).toMatch(/^http:\/\/\[redacted\]@app\.example\/\.\.\u0001\/a{100,}…$/)
    expect((line['http_target'] as string).length).toBeLessThan(600)
  })

  it.each([
    ['upstream_broken', 200, 'warn'],
    ['upstream_unreachable', 502, 'warn'],
    ['client_closed_request', 499, 'info'],
    ['internal_error', 200, 'error'],
  ] as const)('tells a granted request that came to %s at %s as %s', (forwardError, status, level) => {
    const { log, only } = capture()
    logDecision(log, { ...record, forwardError, status, detail: 'why' })
    expect(only()).toMatchObject({
      level,
      msg: 'Access request granted',
      reason: 'allowed',
      forward_error: forwardError,
      detail: 'why',
      status,
    })
  })

  it('stays one line of JSON without secrets, whatever the client sends', () => {
    const token = 'ory_st_4Tn0bFz7kQmC2wYhXv8sLrJdE6uAgP1i'
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ unit: 'binary' }), (path, host, userAgent) => {
        const { log, lines } = capture()
        logDecision(log, { ...record, path: `/${path}\n{"level":"error"}`, host, userAgent: `${userAgent} ${token}` })
        expect(lines[0]?.indexOf('\n')).toBe((lines[0]?.length ?? 0) - 1)
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'info', granted: true })
        expect(lines[0]).not.toContain(token)
      }),
    )
  })

  it('keeps lines short', () => {
    const { log, lines } = capture()
    logDecision(log, { ...record, path: `/${'a '.repeat(10_000)}`, userAgent: 'b '.repeat(10_000) })
    expect(lines[0]?.length).toBeLessThan(2000)
  })

  it('makes no line that nobody sees', () => {
    const { log, lines } = capture({ level: 'error', format: 'json' })
    logDecision(log, record)
    expect(lines).toEqual([])
  })
})
