import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { duration } from '../../documents/duration.ts'
import { GatewayError } from '../../errors.ts'
import type { Exchange } from '../contract/exchange.ts'
import { defineMutator } from '../contract/handler.ts'
import type { HttpRequest, HttpResponse } from '../contract/http_client.ts'
import type { Mutation } from '../contract/outcomes.ts'
import type { Clock } from '../contract/runtime.ts'
import {
  callFailed,
  forwardedHeaders,
  forwardedNames,
  forwardHttpHeaders,
  jsonContent,
  limitsOf,
  retry,
  serviceUrl,
} from '../service_call.ts'
import { readSessionDocument, sessionDocument } from '../session_document.ts'

/** Lets a service complete the session: what it answers takes the place of the session and of all headers set so far. */
export const hydrator = defineMutator({
  name: 'hydrator',
  config: z.strictObject({
    api: z
      .strictObject({
        url: serviceUrl.describe("URL that completes a session; called with the request's query."),
        auth: z
          .strictObject({
            basic: z
              .strictObject({ username: z.string().describe('User name.'), password: z.string().describe('Password.') })
              .describe('HTTP Basic.'),
          })
          .optional()
          .describe('Credentials of the call.'),
        retry: retry.prefault({}).describe('Limits of the call.'),
        forward_http_headers: forwardHttpHeaders.describe(
          'Request headers that are sent along and shown in match_context. Absent: all, or none while safeguards.client_headers is drop.',
        ),
      })
      .describe('The call.'),
    cache: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Keep answers for requests that are alike in all that is sent.'),
        ttl: duration.prefault('1m').describe('How long an answer is kept.'),
      })
      .prefault({})
      .describe('Cache of answers.'),
  }),
  create({ api, cache }, setup) {
    const { origin, pathname } = new URL(api.url)
    const names = forwardedNames(api.forward_http_headers, setup.safeguards, 'all')
    const isShown = (name: string): boolean => names === 'all' || names.has(name)
    const basic =
      api.auth && `Basic ${Buffer.from(`${api.auth.basic.username}:${api.auth.basic.password}`).toString('base64')}`
    const limits = limitsOf(api.retry)
    const answers = cache.enabled ? setup.shared(createAnswers) : undefined

    const question = (exchange: Exchange): HttpRequest => {
      const headers = forwardedHeaders(exchange.inbound, names)
      // A compressed answer would have to be unpacked.
      headers.delete('accept-encoding')
      if (basic !== undefined) headers.set('authorization', basic)
      headers.set(...jsonContent)
      const query = new URLSearchParams(exchange.inbound.query)
      query.sort()
      const url = `${origin}${pathname}${query.size === 0 ? '' : `?${query.toString()}`}`
      return { method: 'POST', url, headers: [...headers], body: sessionDocument(exchange, isShown) }
    }
    const ask = async (exchange: Exchange, request: HttpRequest, key: string): Promise<Mutation> => {
      const response = await setup.http.send(request, limits).catch((error: unknown) => {
        throw callFailed('hydrator_failed', 'hydrator', error)
      })
      const mutation = hydrated(exchange, response, basic !== undefined)
      answers?.set(key, mutation, { ttl: cache.ttl, size: key.length + response.body.length })
      return mutation
    }

    return {
      mutate(exchange) {
        const request = question(exchange)
        const key = answers === undefined ? '' : keyOf(exchange, request, cache.ttl)
        return answers?.get(key) ?? ask(exchange, request, key)
      },
      owns: [],
    }
  },
})

function hydrated({ session }: Exchange, { status, body }: HttpResponse, hasCredentials: boolean): Mutation {
  if (status === 401) {
    throw failed(`${hasCredentials ? 'Invalid' : 'No'} credentials were provided in mutator configuration`)
  }
  if (status !== 200) throw failed(`The call to an external API returned a non-200 HTTP response: ${status}`)
  const answer = readSessionDocument(body)
  // A service that completes sessions must not turn one user into another.
  if (answer === undefined || answer.subject !== session.subject) {
    throw failed('The call to an external API returned an invalid JSON object')
  }
  const { extra, edits, captures } = answer
  return { session: { ...session, extra }, edits, replacesEdits: true, ...(captures !== undefined && { captures }) }
}

const failed = (reason: string): GatewayError => new GatewayError('hydrator_failed', { reason })

type Answers = LRUCache<string, Mutation>

/** One for all rules and reloads: a key says all that an answer depends on, and the memory is bounded once. */
function createAnswers({ clock }: { readonly clock: Clock }): Answers {
  return new LRUCache({ max: 10_000, maxSize: 16 * 1024 * 1024, ttl: 1, perf: { now: () => clock.monotonic() } })
}

/** The id, the end and the mark of the session are not sent, but they are part of what is kept. */
function keyOf({ session }: Exchange, { url, headers, body }: HttpRequest, ttl: number): string {
  const parts = [url, headers, body, session.id, session.expiresAt, session.stale, ttl]
  return hash('sha256', JSON.stringify(parts), 'base64url')
}
