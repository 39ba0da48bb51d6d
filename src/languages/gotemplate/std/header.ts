import { escapeQuery } from '../functions/escape.ts'
import { emptyRecord, setKey } from '../values/copy.ts'
import { sortedKeys } from '../values/order.ts'
import { GoMap, type GoMethod, type GoRecord, type GoValue, type MapType, typedSlice } from '../values/value.ts'
import { unescapePercent } from './percent.ts'

const values = (map: GoMap, key: string): readonly GoValue[] => {
  const found = Object.hasOwn(map.entries, key) ? map.entries[key] : undefined
  return Array.isArray(found) ? found : []
}

const noStrings = typedSlice('string', null)

/** A header's name in its canonical form (`X-Api-Key`); names with other characters stay as they are. */
export function canonicalHeaderName(name: string): string {
  for (let at = 0; at < name.length; at++) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(name.charAt(at))) return name
  }
  return name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
    .join('-')
}

const headerType: MapType = {
  name: 'http.Header',
  zero: noStrings,
  methods: new Map<string, GoMethod<GoMap>>([
    ['Get', { params: ['string'], call: (map, name) => values(map, canonicalHeaderName(name as string))[0] ?? '' }],
    [
      'Values',
      {
        params: ['string'],
        call: (map, name) => {
          const found = values(map, canonicalHeaderName(name as string))
          return found.length === 0 ? noStrings : typedSlice('string', found)
        },
      },
    ],
  ]),
}

const valuesType: MapType = {
  name: 'url.Values',
  zero: noStrings,
  methods: new Map<string, GoMethod<GoMap>>([
    ['Get', { params: ['string'], call: (map, key) => values(map, key as string)[0] ?? '' }],
    ['Has', { params: ['string'], call: (map, key) => Object.hasOwn(map.entries, key as string) }],
    ['Encode', { params: [], call: encodeQuery }],
  ]),
}

function encodeQuery(map: GoMap): string {
  return sortedKeys(map.entries)
    .flatMap((key) =>
      values(map, key).map((value) => `${escapeQuery(key)}=${escapeQuery(typeof value === 'string' ? value : '')}`),
    )
    .join('&')
}

/**
 * A Go http.Header.
 * @param entries lists of values by canonical name; null for a nil header
 */
export const httpHeader = (entries: GoRecord | null): GoMap => new GoMap(headerType, entries)

/** A Go url.Values from a query such as `a=1&b=2`. */
export function urlValues(query: string): GoMap {
  const entries = emptyRecord()
  for (const pair of query.split('&')) {
    // Go drops pairs with semicolons or broken escapes
    if (pair === '' || pair.includes(';')) continue
    const equals = pair.indexOf('=')
    const key = unescapeQuery(equals === -1 ? pair : pair.slice(0, equals))
    const value = unescapeQuery(equals === -1 ? '' : pair.slice(equals + 1))
    if (key === undefined || value === undefined) continue
    const before = Object.hasOwn(entries, key) ? (entries[key] as readonly GoValue[]) : []
    setKey(entries, key, typedSlice('string', [...before, value]))
  }
  return new GoMap(valuesType, entries)
}

const unescapeQuery = (text: string): string | undefined => unescapePercent(text.replaceAll('+', ' '))
