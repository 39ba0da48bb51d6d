import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createMetrics, firstSegment, type MetricsSettings } from '../../src/telemetry/metrics.ts'

interface Vector {
  readonly id: string
  readonly group: string
  readonly given: { collapse_request_paths?: boolean; hide_request_paths?: boolean; prefix?: string }
  readonly when: { GET?: string[]; request_uri?: string }
  readonly expect: Record<string, unknown> & { label?: string }
}

const vectors = (
  JSON.parse(readFileSync(new URL('../vectors/oathkeeper.json', import.meta.url), 'utf8')) as { cases: Vector[] }
).cases.filter(({ group }) => group === 'metrics')

const defaults: MetricsSettings = { prefix: 'ory_oathkeeper_', hideRequestPaths: false, collapseRequestPaths: true }
const served = { service: 'oathkeeper-proxy', method: 'GET', status: 200, durationMs: 12, known: true } as const

/** Value by `request` label of a counter's series. */
async function byRequest(text: Promise<string>, name: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const line of (await text).split('\n')) {
    const match = /^([a-z_]+)\{method="GET",request="([^"]*)",.*\} (\d+)$/.exec(line)
    if (match?.[1] === name) found[match[2] ?? ''] = Number(match[3])
  }
  return found
}

const seriesOf = async (text: Promise<string>): Promise<number> =>
  (await text).split('\n').filter((line) => line.startsWith('ory_oathkeeper_')).length

describe('vectors', () => {
  const counted = vectors.filter(({ when, expect: wanted }) => when.GET !== undefined && !('counted' in wanted))
  it.each(counted)('$id', async ({ id, given, when, expect: wanted }) => {
    const prefix = given.prefix ?? defaults.prefix
    const metrics = createMetrics({
      prefix,
      hideRequestPaths: given.hide_request_paths ?? false,
      collapseRequestPaths: given.collapse_request_paths ?? true,
    })
    for (const target of when.GET ?? []) metrics.request({ ...served, target })
    // Deliberate difference: a query is never a label, because it may hold tokens and grows without bound.
    const series = id === 'metrics-005' ? { '/': 1, '/hello': 1, '/hello/world': 2 } : Object.values(wanted)[0]
    expect(await byRequest(metrics.text(), `${prefix}requests_total`)).toEqual(series)
  })

  it.each(vectors.filter(({ when }) => when.request_uri !== undefined))('$id', ({ when, expect: wanted }) => {
    expect(firstSegment(when.request_uri ?? '')).toBe(wanted.label)
  })

  it('metrics-011: health checks are not counted', async () => {
    const metrics = createMetrics(defaults)
    metrics.request({ ...served, target: '/health/alive' })
    metrics.request({ ...served, target: '/health/ready?x' })
    expect(await byRequest(metrics.text(), 'ory_oathkeeper_requests_total')).toEqual({})
  })

  it('metrics-013: names, types and labels', async () => {
    const metrics = createMetrics(defaults)
    metrics.request({ ...served, target: '/a' })
    metrics.request({ ...served, service: 'oathkeeper-api', target: '/rules' })
    const text = await metrics.text()
    expect(text).toContain('# TYPE ory_oathkeeper_requests_total counter')
    expect(text).toContain('# TYPE ory_oathkeeper_requests_duration_seconds histogram')
    expect(text).toContain(
      'ory_oathkeeper_requests_total{method="GET",request="/rules",service="oathkeeper-api",status_code="200"} 1',
    )
    const buckets = [...text.matchAll(/duration_seconds_bucket\{le="([^"]+)",method="GET",request="\/a"/g)].map(
      ([, le]) => le,
    )
    expect(buckets).toEqual(['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'])
    expect(text).toMatch(/^process_cpu_seconds_total /m)
    expect(metrics.contentType).toContain('text/plain')
  })
})

describe('bounds', () => {
  it('leak-005: requests that match no rule add no series', async () => {
    const metrics = createMetrics({ ...defaults, collapseRequestPaths: false })
    const flood = (seed: string): void => {
      for (let index = 0; index < 2000; index++) {
        metrics.request({
          ...served,
          method: `M${seed}${index}`,
          target: `/${seed}${index}?q`,
          status: 404,
          known: false,
        })
        metrics.decision(undefined, false, 'rule_not_found')
      }
    }
    flood('a')
    const before = await seriesOf(metrics.text())
    flood('b')
    expect(await seriesOf(metrics.text())).toBe(before)
  })

  it('paths below a wildcard rule and rules without end become other', async () => {
    const metrics = createMetrics(defaults)
    for (let index = 0; index < 1000; index++) {
      metrics.request({ ...served, target: `/p${index}` })
      metrics.decision(`r${index}`, true, 'allowed')
    }
    const paths = await byRequest(metrics.text(), 'ory_oathkeeper_requests_total')
    expect(Object.keys(paths)).toHaveLength(51)
    expect(paths['other']).toBe(950)
    expect(await metrics.text()).toContain('decisions_total{rule_id="other",outcome="granted",reason="allowed"} 500')
  })

  it('requests that are refused take no label from those that are granted', async () => {
    const metrics = createMetrics(defaults)
    for (let index = 0; index < 100; index++) {
      metrics.request({ ...served, target: `/scan${index}`, status: 401, known: false })
    }
    metrics.request({ ...served, target: '/notes' })
    metrics.request({ ...served, target: '/notes', known: false })
    expect(await byRequest(metrics.text(), 'ory_oathkeeper_requests_total')).toEqual({ other: 100, '/notes': 2 })
  })

  it('a token in a path does not become a label', async () => {
    const metrics = createMetrics(defaults)
    metrics.request({ ...served, target: '/ory_st_4Tn0bFz7kQmC2wYhXv8sLrJdE6uAgP1i/x' })
    expect(await metrics.text()).toContain('request="/[redacted]"')
  })
})

describe('the rest', () => {
  it('counts decisions, session store calls and upstream errors, and tells reloads and rules', async () => {
    const metrics = createMetrics(defaults)
    metrics.decision('notes', false, 'credentials_invalid')
    metrics.sessionStoreCall('unavailable')
    metrics.upstreamError('upstream_timeout')
    metrics.reloaded(true)
    metrics.reloaded(false)
    metrics.rules(14, 2)
    const text = await metrics.text()
    for (const line of [
      'ory_oathkeeper_decisions_total{rule_id="notes",outcome="denied",reason="credentials_invalid"} 1',
      'ory_oathkeeper_session_store_calls_total{outcome="unavailable"} 1',
      'ory_oathkeeper_upstream_errors_total{reason="upstream_timeout"} 1',
      'ory_oathkeeper_config_last_reload_successful 0',
      'ory_oathkeeper_rules{state="valid"} 14',
      'ory_oathkeeper_rules{state="invalid"} 2',
    ]) {
      expect(text).toContain(line)
    }
    expect(text).toMatch(/config_last_reload_success_timestamp_seconds [1-9]/)
  })
})
