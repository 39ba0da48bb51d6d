/**
 * Counts and durations of requests, by method, path label, service and status: kept as plain numbers, which the metrics take
 * when somebody looks. The library's own counter and histogram put together and look up their labels for every request.
 */
import type { Metric, Registry } from '@prometheus-io/client'

type Labels = Readonly<Record<'method' | 'request' | 'service' | 'status_code', string>>

interface Series {
  readonly service: string
  readonly method: string
  readonly status: number
  readonly labels: Labels
  /** How many requests took at most as long as the bound of the same index, and more than the bound before; the last had none. */
  readonly buckets: number[]
  /** Seconds. */
  sum: number
  count: number
}

/** Seconds: the library's, and Go's, usual bounds. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export class RequestSeries {
  // Few series share a path's label: a list is looked through faster than a key is put together.
  readonly #byLabel = new Map<string, Series[]>()

  /** Counts one request. The number of different arguments has to be bounded by the caller, but for the last. */
  count(service: string, method: string, request: string, status: number, seconds: number): void {
    const series = this.#find(service, method, request, status)
    series.count++
    series.sum += seconds
    let index = 0
    while (index < bounds.length && seconds > bounds[index]!) index++
    series.buckets[index]!++
  }

  /** Adds `<prefix>requests_total` and `<prefix>requests_duration_seconds`. */
  register(registry: Registry, prefix: string): void {
    add(registry, {
      name: `${prefix}requests_total`,
      help: 'Total number of requests',
      type: 'counter',
      values: () => this.#all().map(({ labels, count }) => ({ labels, value: count })),
    })
    const name = `${prefix}requests_duration_seconds`
    add(registry, {
      name,
      help: 'Time spent serving requests.',
      type: 'histogram',
      values: () => this.#all().flatMap((series) => durations(name, series)),
    })
  }

  #find(service: string, method: string, request: string, status: number): Series {
    let list = this.#byLabel.get(request)
    if (list === undefined) {
      list = []
      this.#byLabel.set(request, list)
    }
    for (const series of list) {
      if (series.status === status && series.method === method && series.service === service) return series
    }
    const labels = { method, request, service, status_code: String(status) }
    const buckets = Array.from({ length: bounds.length + 1 }, () => 0)
    const series = { service, method, status, labels, buckets, sum: 0, count: 0 }
    list.push(series)
    return series
  }

  #all(): readonly Series[] {
    return [...this.#byLabel.values()].flat()
  }
}

interface Value {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

function durations(name: string, { labels, buckets, sum, count }: Series): Value[] {
  let below = 0
  return [
    ...[...bounds, '+Inf'].map((le, index) => {
      below += buckets[index]!
      return { labels: { le, ...labels }, value: below, metricName: `${name}_bucket` }
    }),
    { labels, value: sum, metricName: `${name}_sum` },
    { labels, value: count, metricName: `${name}_count` },
  ]
}

interface Source {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'histogram'
  readonly values: () => readonly Value[]
}

/** Registers what the library asks of a metric when it writes one, or adds up those of several processes. */
function add(registry: Registry, { name, help, type, values }: Source): void {
  const metric = {
    name,
    get: () => Promise.resolve({ name, help, type, aggregator: 'sum', values: values() }),
    reset: () => undefined,
  }
  registry.registerMetric(metric as unknown as Metric)
}
