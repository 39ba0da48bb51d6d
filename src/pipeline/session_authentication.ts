import type { Authentication, HeaderLine, SessionAnswer } from './contract.ts'

/** What an answer of the session store means to the pipeline; its Set-Cookie lines go to the client. */
export function authentication(answer: SessionAnswer): Authentication {
  if (answer.outcome === 'unavailable') return answer
  const responseHeaders = answer.setCookie.map((value): HeaderLine => ['Set-Cookie', value])
  return answer.outcome === 'session'
    ? { outcome: 'authenticated', session: answer.session, responseHeaders }
    : { outcome: 'denied', error: answer.error, responseHeaders }
}
