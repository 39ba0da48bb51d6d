/** What the API plane needs to know of the configuration; part of a snapshot, immutable. */
import type { Decision } from '../pipeline/contract/decision.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { KeySet } from '../pipeline/contract/keys.ts'
import type { Awaitable } from '../pipeline/contract/values.ts'
import type { Cors } from '../proxy/cors.ts'
import type { InboundSettings } from '../proxy/inbound.ts'
import type { Rule } from '../rules/rule.ts'
import type { RequestTracer } from '../telemetry/request_span.ts'
import type { Whoami } from './whoami.ts'
import type { AdminAccess } from './admin.ts'
import type { HookAccess } from './hooks.ts'

export interface ApiSnapshot {
  readonly decide: (inbound: Inbound) => Awaitable<Decision>
  /** How requests to /decisions are read. */
  readonly inbound: Omit<InboundSettings, 'trustForwardedHeaders'>
  /** The rules without a problem, in the order of their repositories. */
  readonly validRules: readonly Rule[]
  /** Every key set that signs under this snapshot. */
  readonly keySets: readonly KeySet[]
  /** Absent without `kratos.public_url`, and where CORS would let every web page read the answers. */
  readonly whoami?: Whoami | undefined
  /** Whether the API answers under this host name; see `hostCheck`. */
  readonly answersTo: (host: string | undefined) => boolean
  /** Absent when there are no calls for operators. */
  readonly admin?: AdminAccess | undefined
  /** Absent when Kratos' hooks are not taken. */
  readonly hooks?: HookAccess | undefined
  /** Absent when `serve.api.cors` is not enabled. */
  readonly cors?: Cors | undefined
  /** Absent when nobody wants traces. */
  readonly tracer?: RequestTracer | undefined
}
