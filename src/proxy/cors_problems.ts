/** Origins of `cors.allowed_origins` that allow nobody, or everybody. */
import type { Config } from '../config/schema.ts'
import type { Locate, Problem } from '../documents/problem.ts'
import { isBounded } from './cors.ts'

type Cors = Config['serve']['proxy']['cors']

/** Warnings about the origins of the proxy and of the API. */
export function corsProblems({ serve }: Config, locate: Locate): readonly Problem[] {
  return (['proxy', 'api'] as const).flatMap((plane) => {
    const { cors } = serve[plane]
    if (!cors.enabled) return []
    const at = ['serve', plane, 'cors', 'allowed_origins']
    const listed = cors.allowed_origins.flatMap((origin, index) => {
      const [message, hint] = mistakeIn(origin) ?? []
      return message === undefined ? [] : [warning(message, hint, locate([...at, index]))]
    })
    return [...listed, ...everybody(cors, locate(at))]
  })
}

function warning(message: string, hint: string | undefined, place: Problem['place']): Problem {
  return { severity: 'warning', message, ...(hint !== undefined && { hint }), ...(place !== undefined && { place }) }
}

/** What is wrong, and what to do. */
function mistakeIn(origin: string): readonly [message: string, hint: string] | undefined {
  if (origin === '*') return undefined
  if (origin === 'null') {
    return ['This origin allows every page that is shown in a sandbox, whose it may be', 'Take it out.']
  }
  const example =
    'Write scheme, host and, unless it is the usual one, port: https://app.example.com, or https://*.example.com.'
  const star = origin.indexOf('*')
  if (star !== -1 && !isBounded(origin.toLowerCase(), star)) {
    return ['This origin allows nobody: its * is not one label in front of a domain of at least two', example]
  }
  const domain = star === -1 ? '' : origin.slice(star + 2)
  if (isRegistry(domain)) {
    return [
      `This origin allows whoever has a domain: under ${domain} everybody can register one`,
      'Name the domain that is yours.',
    ]
  }
  const url = URL.parse(origin.replace('*', 'x'))
  // What a browser sends has no path, not even a slash (RFC 6454 section 6.2).
  if (url === null || (/^https?:$/.test(url.protocol) && url.origin !== origin.replace('*', 'x').toLowerCase())) {
    return ['This origin allows nobody: it is not written as browsers write an origin', example]
  }
  return undefined
}

/** The usual second levels under the domains of countries; who knows more of them needs a list that is kept up to date. */
const isRegistry = (domain: string): boolean =>
  /^(?:ac|co|com|edu|gob|gov|gv|mil|ne|net|or|org)\.[a-z]{2}(?::\d+)?$/i.test(domain)

function everybody({ allow_credentials, allowed_origins }: Cors, place: Problem['place']): readonly Problem[] {
  const isOpen = allowed_origins.length === 0 || allowed_origins.includes('*')
  if (!isOpen || !allow_credentials) return []
  return [
    warning(
      'Every web page may use the sessions of its visitors: all origins are allowed, with credentials',
      'List the origins of your own pages, or set allow_credentials to false.',
      place,
    ),
  ]
}
