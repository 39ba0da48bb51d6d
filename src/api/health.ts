/** Whether the gateway lives, and whether it can do its work. */
import { jsonAnswer, problemAnswer } from './answers.ts'

export interface Health {
  /** Why requests cannot be served; absent when they can. */
  readonly notReady?: string | undefined
  /** The last reload, when it failed: what was in use before still is. */
  readonly failedReload?: { readonly at: Date; readonly problems: readonly string[] } | undefined
}

export const alive = (): Response => jsonAnswer({ status: 'ok' })

/**
 * 200 when the gateway can serve, also when it does so with an older configuration than the files say (`degraded`);
 * 503 otherwise. `detailed` says whether the asker may see what is wrong with the files.
 */
export function ready({ notReady, failedReload }: Health, detailed: boolean): Response {
  if (notReady !== undefined) {
    return problemAnswer(503, 'The gateway is not ready', detailed ? notReady : undefined)
  }
  if (failedReload === undefined) return jsonAnswer({ status: 'ok' })
  const reload = { failed_at: failedReload.at.toISOString(), problems: failedReload.problems }
  return jsonAnswer({ status: 'degraded', ...(detailed && { reload }) })
}
