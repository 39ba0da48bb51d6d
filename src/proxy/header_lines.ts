/** The header lines of a request, with what each name means: looked up once, though gate, pipeline and forwarder ask. */
import type { RequestHeaders } from '../pipeline/contract/headers.ts'
import { headerName, type HeaderName } from './header_names.ts'

export class HeaderLines implements RequestHeaders {
  readonly raw: readonly string[]
  /** Of the same lines, half as many. */
  readonly names: readonly HeaderName[]

  constructor(raw: readonly string[], names: readonly HeaderName[]) {
    this.raw = raw
    this.names = names
  }

  get(name: string): string | undefined {
    const { names, raw } = this
    for (let i = 0; i < names.length; i++) if (names[i]!.lower === name) return raw[2 * i + 1]
    return undefined
  }

  all(name: string): readonly string[] {
    const { names, raw } = this
    const values: string[] = []
    for (let i = 0; i < names.length; i++) if (names[i]!.lower === name) values.push(raw[2 * i + 1]!)
    return values
  }
}

/** Headers in node's raw form: name, value, name, value… */
export function requestHeaders(raw: readonly string[]): HeaderLines {
  const names: HeaderName[] = []
  for (let i = 0; i < raw.length; i += 2) names.push(headerName(raw[i]!))
  return new HeaderLines(raw, names)
}

/** What the names of any headers mean, in order. */
export const namesOf = (headers: RequestHeaders): readonly HeaderName[] =>
  headers instanceof HeaderLines ? headers.names : requestHeaders(headers.raw).names
