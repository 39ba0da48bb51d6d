import {
  type GoRecord,
  type GoStruct,
  type GoValue,
  goUrl,
  httpHeader,
  nilMap,
  structType,
  typedSlice,
} from '../../../src/languages/gotemplate/index.ts'

/** A session as the test vectors write it. */
export interface SessionData {
  readonly Subject?: string
  readonly Extra?: GoRecord | null
  readonly Header?: GoRecord
  readonly MatchContext?: {
    readonly RegexpCaptureGroups?: readonly string[]
    readonly URL?: string
    readonly Method?: string
    readonly Header?: GoRecord
  }
}

const matchContext = structType<NonNullable<SessionData['MatchContext']>>({
  name: 'authn.MatchContext',
  fields: {
    RegexpCaptureGroups: (match) => typedSlice('string', match.RegexpCaptureGroups ?? null),
    URL: (match) => goUrl(match.URL ?? ''),
    Method: (match) => match.Method ?? '',
    Header: (match) => httpHeader(match.Header ?? null),
  },
})

const session = structType<SessionData>({
  name: '*authn.AuthenticationSession',
  json: { Subject: 'subject', Extra: 'extra', Header: 'header', MatchContext: 'match_context' },
  fields: {
    Subject: ({ Subject }) => Subject ?? '',
    Extra: ({ Extra }): GoValue => Extra ?? nilMap,
    Header: ({ Header }) => httpHeader(Header ?? null),
    MatchContext: ({ MatchContext }) => matchContext(MatchContext ?? {}),
  },
})

/** Wraps test data in the struct that Oathkeeper's templates see. */
export const goSession = (data: SessionData): GoStruct => session(data)
