/** What each kind of step can answer. */
import type { GatewayError } from '../../errors.ts'
import type { HeaderEdit, HeaderLine } from './headers.ts'
import type { Session } from './session.ts'

export type Authentication =
  | { readonly outcome: 'authenticated'; readonly session: Session; readonly responseHeaders?: readonly HeaderLine[] }
  | { readonly outcome: 'not_responsible' }
  | { readonly outcome: 'denied'; readonly error: GatewayError; readonly responseHeaders?: readonly HeaderLine[] }
  | { readonly outcome: 'unavailable'; readonly error: GatewayError }

export type Authorization =
  | { readonly outcome: 'allowed'; readonly edits?: readonly HeaderEdit[] }
  | { readonly outcome: 'denied'; readonly error: GatewayError }
  | { readonly outcome: 'unavailable'; readonly error: GatewayError }

export interface Mutation {
  readonly edits?: readonly HeaderEdit[]
  /** Replaces the session for the steps that follow. */
  readonly session?: Session
  /** Whether `edits` takes the place of all edits before it, instead of coming after them. */
  readonly replacesEdits?: boolean
  /** Replaces the capture groups for the steps that follow. */
  readonly captures?: readonly string[]
  /** Oathkeeper's `noop`: /decisions answers with the request's own headers, too. */
  readonly echoRequestHeaders?: boolean
}

/** The answer to a request that was not allowed. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: readonly HeaderLine[]
  readonly body: string
}
