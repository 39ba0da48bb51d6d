/** What tells questions apart: a hash, so that nothing keeps the credentials of all sessions. */
import { hash } from 'node:crypto'
import type { SessionQuestion } from '../pipeline/contract/session_store.ts'

/** Length-prefixed, so that no two questions can be told apart wrongly by where their parts end. */
export function questionKey({ method, url, reader, headers, verbatim }: SessionQuestion): string {
  const wants = verbatim ? 'verbatim' : ''
  let text = `${wants}${method.length}:${method}${url.length}:${url}${reader.key.length}:${reader.key}`
  for (const [name, value] of headers) text += `${name.length}:${name}${value.length}:${value}`
  return hash('sha256', text, 'base64url')
}
