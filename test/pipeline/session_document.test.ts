import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HeaderEdit } from '../../src/pipeline/contract/headers.ts'
import type { JsonObject } from '../../src/pipeline/contract/values.ts'
import { readSessionDocument, sessionDocument } from '../../src/pipeline/session_document.ts'
import { exchangeOf } from '../tokens/support.ts'

const json = fc.jsonValue({ maxDepth: 3 })
const headerName = fc.stringMatching(/^X-[A-Z][a-z]{0,8}$/)

describe('a session document', () => {
  it('that comes back unchanged changes nothing', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.option(fc.dictionary(fc.string(), json)),
        fc.array(fc.string()),
        fc.uniqueArray(fc.tuple(headerName, fc.string()), { selector: ([name]) => name }),
        (subject, extra, captures, edits: readonly HeaderEdit[]) => {
          const exchange = {
            ...exchangeOf({ session: { subject, extra: extra as JsonObject | null }, captures }),
            edits,
          }
          const document = sessionDocument(exchange, () => true)
          const sent = JSON.parse(document) as JsonObject
          expect(readSessionDocument(document)).toEqual({ subject, extra: sent['extra'], captures, edits })
        },
      ),
    )
  })

  it('is read or not, whatever comes: nothing throws', () => {
    const member = fc.oneof(json, fc.constant({}), fc.constant({ regexp_capture_groups: null }))
    const document = fc.dictionary(fc.constantFrom('subject', 'extra', 'header', 'match_context'), member)
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          document.map((value) => JSON.stringify(value)),
        ),
        (text) => {
          const session = readSessionDocument(text)
          if (session === undefined) return
          expect(typeof session.subject).toBe('string')
          for (const [, value] of session.edits) expect(typeof value).toBe('string')
        },
      ),
    )
  })

  it('shows the last value that was set, and none that was removed', () => {
    const edits: HeaderEdit[] = [
      ['x-a', '1'],
      ['X-B', '1'],
      ['X-A', '2'],
      ['x-b', null],
    ]
    expect(JSON.parse(sessionDocument({ ...exchangeOf(), edits }, () => true))).toMatchObject({
      header: { 'X-A': ['2'] },
    })
    expect(sessionDocument({ ...exchangeOf(), edits }, () => true)).not.toContain('X-B')
  })

  it('shows the headers of the request as text, without Host', () => {
    const name = Buffer.from('größer').toString('latin1')
    const exchange = exchangeOf({ headers: { host: 'gw.example', 'x-name': [name, 'gr\u{f6}ßer'], 'x-secret': 's' } })
    const document = JSON.parse(sessionDocument(exchange, (header) => header !== 'x-secret')) as JsonObject
    expect(document['match_context']).toMatchObject({ header: { 'X-Name': ['größer', 'größer'] } })
    expect(JSON.stringify(document)).not.toMatch(/"Host":\[|Secret/)
  })
})
