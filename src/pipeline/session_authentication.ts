/** What cookie_session and bearer_token have in common: the question, what is kept of the answer, what the rule requires. */
import { sessionPolicy } from '../sessions/policy.ts'
import { questionMaker, type QuestionConfig } from '../sessions/question.ts'
import { createSessionReader } from '../sessions/reader.ts'
import { compileRequirements, type Requirements } from '../sessions/requirements.ts'
import type { HeaderLine } from './contract/headers.ts'
import type { Inbound } from './contract/inbound.ts'
import type { Authentication } from './contract/outcomes.ts'
import type { SessionAnswer } from './contract/session_store.ts'
import type { Setup } from './contract/setup.ts'
import type { Awaitable } from './contract/values.ts'

/**
 * A function that asks the session store about a credential.
 * Throws ConfigError for a path of `subject_from` or `extra_from` that is none.
 */
export function sessionAuthentication(
  config: QuestionConfig & { readonly subject_from: string },
  setup: Setup,
): (inbound: Inbound, credential: HeaderLine | undefined) => Awaitable<Authentication> {
  const { sessions, safeguards, clock } = setup
  const fixed = safeguards.session_request === 'fixed'
  if (!fixed && !config.preserve_path && isWhoami(config.check_session_url)) {
    setup.report(
      'warning',
      'preserve_path is not set: the session store is asked at the path of each request, not at /sessions/whoami',
      ['check_session_url'],
      'Add `preserve_path: true`.',
    )
  }
  const reader = createSessionReader(config, safeguards, clock)
  const question = questionMaker(config, { fixed, reader })
  const requirements = compileRequirements(config.require, clock)
  const policy = sessionPolicy(config.cache, setup)
  const anew = { ...policy, reuse: false }
  const extender =
    setup.sessionExtender?.appliesTo(config.check_session_url) === true ? setup.sessionExtender : undefined

  const read = (answer: SessionAnswer): Authentication => {
    const result = authentication(answer, requirements)
    if (extender !== undefined && result.outcome === 'authenticated') extender.use(result.session)
    return result
  }

  return (inbound, credential) => {
    const asked = question(inbound, credential)
    const answer = sessions.ask(asked, policy)
    if (answer instanceof Promise) return answer.then(read)
    const result = read(answer)
    if (answer.outcome !== 'session' || result.outcome === 'authenticated') return result
    // The user may have done meanwhile what the rule requires: no refusal by what is remembered.
    return Promise.resolve(sessions.ask(asked, anew)).then(read)
  }
}

const none: readonly HeaderLine[] = []

/** What an answer of the session store means to the pipeline; its Set-Cookie lines go to the client. */
function authentication(answer: SessionAnswer, requirements: Requirements): Authentication {
  if (answer.outcome === 'unavailable') return answer
  const { setCookie } = answer
  const responseHeaders = setCookie.length === 0 ? none : setCookie.map((value): HeaderLine => ['Set-Cookie', value])
  if (answer.outcome === 'denied') return { outcome: 'denied', error: answer.error, responseHeaders }
  const { session } = answer
  const error = requirements(session)
  if (error === undefined) return { outcome: 'authenticated', session, responseHeaders }
  return error.status >= 500 ? { outcome: 'unavailable', error } : { outcome: 'denied', error, responseHeaders }
}

/** Whether this is where Kratos says who somebody is. */
export function isWhoami(url: string): boolean {
  return new URL(url).pathname.endsWith('/sessions/whoami')
}
