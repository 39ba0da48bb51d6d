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

interface Hashed {
  readonly method: string
  readonly url: string
  readonly reader: string
  readonly verbatim: true | undefined
  readonly header: string
  readonly credential: string
  readonly key: string
}

/** How many questions are remembered, and how long their credentials may be (characters). */
const MOST = 4096
const LONGEST = 512
/** Characters at the end of a credential, where those of different users differ. */
const TAIL = 12

/**
 * As `questionKey`, for questions that come again and again: one that was asked lately is found by the end of its credential
 * and compared as a whole, which costs a third of hashing it.
 */
export function rememberedKeys(): (question: SessionQuestion) => string {
  const known = new Map<string, Hashed>()
  return (question) => {
    const { method, url, reader, verbatim, headers } = question
    const [line] = headers
    if (line === undefined || headers.length > 1 || line[1].length > LONGEST) return questionKey(question)
    const [header, credential] = line
    const tail = credential.slice(-TAIL)
    const before = known.get(tail)
    if (
      before !== undefined &&
      before.credential === credential &&
      before.url === url &&
      before.reader === reader.key &&
      before.header === header &&
      before.method === method &&
      before.verbatim === verbatim
    ) {
      return before.key
    }
    const key = questionKey(question)
    if (known.size >= MOST) known.clear()
    // A copy: what was cut out of a request's headers would keep them whole.
    const copy = Buffer.from(credential, 'latin1').toString('latin1')
    known.set(tail, { method, url, reader: reader.key, verbatim, header, credential: copy, key })
    return key
  }
}
