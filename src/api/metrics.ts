/** The metrics plane: one page for Prometheus, on its own port. */
import { Hono } from 'hono'
import type { Metrics } from '../telemetry/metrics.ts'
import { notFound } from './not_found.ts'

export interface MetricsAppOptions {
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>
  /** The only path that answers; undefined for every path, as Oathkeeper does. */
  readonly path: string | undefined
}

export function createMetricsApp({ metrics, path }: MetricsAppOptions): Hono {
  const app = new Hono()
  app.get(
    path ?? '*',
    async () => new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } }),
  )
  app.notFound((c) => notFound(c.req.header('accept')))
  return app
}
