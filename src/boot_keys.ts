/** What of a config is used once, at start: a reload that changes it says so. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config/schema.ts'
import type { Log } from './pipeline/contract/runtime.ts'

/** What of `serve` a reload changes: all else of it belongs to listeners, which are bound once. */
const reloadable: Readonly<Record<keyof Config['serve'], readonly string[] | 'all'>> = {
  proxy: ['cors', 'trust_forwarded_headers', 'timeout', 'websockets'],
  api: ['admin', 'cors', 'allowed_hosts'],
  prometheus: [],
  shutdown: 'all',
}

/** A change that needs a restart must not look as if it had worked. */
export function warnOfBootKeys(boot: Config, after: Config, log: Pick<Log, 'warn'>): void {
  const changed = isDeepStrictEqual(boot.log, after.log) ? [] : ['log']
  for (const section of Object.keys(reloadable) as (keyof typeof reloadable)[]) {
    const free = reloadable[section]
    if (free === 'all') continue
    const [old, now] = [boot.serve[section], after.serve[section]] as readonly Readonly<Record<string, unknown>>[]
    for (const key of new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})])) {
      if (!free.includes(key) && !isDeepStrictEqual(old?.[key], now?.[key])) changed.push(`serve.${section}.${key}`)
    }
  }
  for (const source of ['database', 'redis', 'revalidation'] as const) {
    if (!isDeepStrictEqual(boot.revocation[source], after.revocation[source])) changed.push(`revocation.${source}`)
  }
  if (changed.length > 0) log.warn({ keys: changed }, 'What has changed here takes effect after a restart')
}
