import { GoError } from '../errors.ts'
import { formatUrl, parseUrl, type UrlParts } from '../std/url.ts'
import { kindName } from '../values/types.ts'
import { type GoRecord, isRecord } from '../values/value.ts'
import { escapePercent } from '../std/percent.ts'
import { fn, type FunctionSpec } from './spec.ts'

function textOf(map: GoRecord, key: string): string {
  const value = Object.hasOwn(map, key) ? map[key] : ''
  if (typeof value === 'string') return value
  throw new GoError(`unable to parse ${key} key, must be of type string, but ${kindName(value)} found`)
}

function join(map: GoRecord): string {
  const userinfo = textOf(map, 'userinfo')
  const parts: UrlParts = {
    scheme: textOf(map, 'scheme'),
    opaque: textOf(map, 'opaque'),
    user: userinfo === '' ? undefined : parseUrl(`proto://${userinfo}@host`).user,
    host: textOf(map, 'host'),
    path: textOf(map, 'path'),
    rawPath: '',
    forceQuery: false,
    rawQuery: textOf(map, 'query'),
    fragment: textOf(map, 'fragment'),
  }
  return formatUrl(parts)
}

function hostname(host: string): string {
  const bare = host.replace(/:\d*$/, '')
  return bare.startsWith('[') && bare.endsWith(']') ? bare.slice(1, -1) : bare
}

/** sprig's functions of URLs. */
export const urls: Readonly<Record<string, FunctionSpec>> = {
  urlParse: fn(['string'], (_, [text]) => {
    const url = parseUrl(text as string)
    const { user } = url
    const password = user?.password === undefined ? '' : `:${escapePercent(user.password, '$&+,;=')}`
    return {
      scheme: url.scheme,
      host: url.host,
      hostname: hostname(url.host),
      path: url.path,
      query: url.rawQuery,
      opaque: url.opaque,
      fragment: url.fragment,
      userinfo: user === undefined ? '' : escapePercent(user.name, '$&+,;=') + password,
    }
  }),
  urlJoin: fn(['map'], (_, [map]) => join(isRecord(map) ? map : {})),
}
