/** Which requests go in, what they are taken to ask about, and what crosses from one connection to the next. */
import type { Exchange } from '../exchange.ts'
import { aboutPath, type Deliberate, header, status, templatesOf, withoutNoise } from './context.ts'

/** A text without a query, in whatever form it stands there, and however often that has been escaped. */
function withoutQuery(facet: string, text = '', query: string): string {
  if (/^service\d*\.target$/.test(facet)) return text.split('?')[0] ?? ''
  if (text.includes('"RawQuery":'))
    return (
      withoutNoise(text)
        .replace(/"RawQuery":"[^"]*"/, '')
        // What a mutator has made of it before.
        .replace(/"header":(?:null|\{.*?\}),"match_context"/, '"match_context"')
    )
  const forms = query === '' ? [] : [query, encodeURI(query), encodeURIComponent(query)]
  return forms
    .reduce((left, form) => left.replaceAll(escapedOnce(form), ''), escapedOnce(text))
    .replaceAll(/(\?|%3F)(?=$|["#&;])/g, '')
}

const escapedOnce = (text: string): string => (text.includes('%25') ? escapedOnce(text.replaceAll('%25', '%')) : text)

/** Who was asked on the way. */
const services = ({ calls }: Exchange): string => calls.map(({ service }) => service).join()

export const atTheGate: readonly Deliberate[] = [
  {
    name: 'front-gate-path',
    reason: 'A control character, a backslash, a bad escape or invalid UTF-8 in a path is read in several ways.',
    decides: ({ request, ours }) => status(ours) === '400' && /%0a|%5c|%zz|%c3%28/i.test(aboutPath(request)),
  },
  {
    name: 'front-gate-host',
    reason: 'A host with a final dot names the same host in a second way, past rules that name it in the first.',
    decides: ({ request, ours }) =>
      status(ours) === '400' &&
      (header(request, 'host').endsWith('.') || header(request, 'x-forwarded-host').endsWith('.')),
  },
  {
    name: 'front-gate-scheme',
    reason: 'A forwarded scheme that is none of HTTP matches no rule and would end up in redirects.',
    decides: ({ request, ours }) =>
      status(ours) === '400' && header(request, 'x-forwarded-proto') === 'ftp' && request.plane === 'decisions',
  },
  {
    name: 'decisions-redirect',
    reason:
      'Whoever asks for a decision gets one about the resolved path, not a redirect that proxies take for an answer.',
    decides: ({ request, theirs }) =>
      request.plane === 'decisions' &&
      status(theirs) === '307' &&
      /\/\/|\/\.{1,2}(\/|$)/.test(request.target.split('?')[0] ?? ''),
  },
  {
    name: 'decisions-uri-decoded',
    reason: 'Undecoded, `%2e%2e` in X-Forwarded-Uri would be matched as one path and served as another.',
    decides: ({ request }) => request.target === '/decisions' && aboutPath(request).includes('%'),
  },
  {
    name: 'decisions-query',
    reason: 'The query in X-Forwarded-Uri belongs to the request that a decision is about.',
    decides: ({ scenario, request, theirs, ours }) =>
      (status(theirs) !== status(ours) || services(theirs) !== services(ours)) &&
      request.target === '/decisions' &&
      /\?.*token=/.test(header(request, 'x-forwarded-uri')) &&
      /"query_parameter":"token"|"preserve_query":false/.test(JSON.stringify(scenario.rules)),
    covers: ({ facet, theirs, ours }, { scenario, request }) => {
      const [, query] = header(request, 'x-forwarded-uri').split(/\?(.*)/s)
      if (request.target !== '/decisions' || query === undefined) return false
      if (withoutQuery(facet, theirs, query) === withoutQuery(facet, ours, query)) return true
      // What a template makes of a query cannot be told from here.
      const name = facet.replace(/.*header:/, '')
      return facet.includes('header:') && templatesOf(scenario, name).some((each) => each.includes('.MatchContext.URL'))
    },
  },
  {
    name: 'decisions-unparsable-query',
    reason: 'Pairs of a query that cannot be decoded are left out on both planes, not on one.',
    covers: ({ facet, theirs = '', ours }, { request }) =>
      request.plane === 'decisions' &&
      /store\.target|location|body|header:/.test(facet) &&
      ours?.replace(/"RawPath":"[^"]*"/, '') ===
        theirs.replace(/"RawPath":"[^"]*"/, '').replaceAll(/(\?|%3F)?q(=|%3D)(%zz|%25zz|a;?b=c|a%3Bb%3Dc)/g, ''),
  },
  {
    name: 'decisions-host',
    reason: 'The session store is told the host that the decision is about, not that of the API.',
    covers: ({ facet, theirs, ours }, { request }) =>
      /^(store|service)\d*\.header:x-forwarded-host$/.test(facet) &&
      theirs === header(request, 'host') &&
      ours === header(request, 'x-forwarded-host'),
  },
  {
    name: 'connection-options',
    reason: 'What Connection names ends at the gateway, on both planes.',
    covers: ({ facet, ours }, { request }) =>
      request.plane === 'decisions' &&
      (/^service\d*\.body$/.test(facet)
        ? header(request, 'connection')
            .toLowerCase()
            .split(', ')
            .some((name) => header(request, name) !== '')
        : ours === undefined &&
          header(request, 'connection')
            .toLowerCase()
            .split(', ')
            .includes(facet.replace(/.*header:/, ''))),
  },
  {
    name: 'hop-by-hop',
    reason: 'What belongs to one connection is neither forwarded nor echoed (RFC 9110 section 7.6.1).',
    covers: ({ facet, ours }) =>
      /header:(te|proxy-authorization|proxy-connection|keep-alive)$/.test(facet) && ours === undefined,
  },
  {
    name: 'no-h2c-upgrade',
    reason: 'An upgrade to HTTP/2 towards the upstream would carry requests past the rules.',
    covers: ({ facet, theirs, ours }) =>
      /^(upstream|service)\d*\.header:upgrade$/.test(facet) && theirs === 'h2c' && ours === undefined,
  },
  {
    name: 'trusted-forwarded',
    reason: 'Whoever trusts the proxy in front gets to see what it says, in the standard form, too.',
    covers: ({ facet, theirs, ours }, { request }) =>
      header(request, 'forwarded') !== '' &&
      ((/^service\d*\.header:forwarded$/.test(facet) && theirs === undefined) ||
        (/^service\d*\.body$/.test(facet) && ours?.includes('"Forwarded":') === true)),
  },
  {
    name: 'cors-any-origin',
    reason: 'Without credentials `*` says the same, and caches need not keep one copy per origin.',
    covers: ({ facet, theirs, ours }, { request }) =>
      facet === 'header:access-control-allow-origin' && ours === '*' && theirs === header(request, 'origin'),
  },
  {
    name: 'cors-requested-headers',
    reason: 'Header names have no case and no order; only browsers write them sorted and in small letters.',
    covers: ({ facet, theirs }, { request }) =>
      request.method === 'OPTIONS' &&
      facet.startsWith('header:access-control-') &&
      theirs === undefined &&
      header(request, 'access-control-request-headers') === 'X-Custom, Authorization',
  },
  {
    name: 'cors-spelling',
    formal: true,
    reason: 'Header names have no case.',
    covers: ({ facet, theirs, ours }) =>
      facet.startsWith('header:access-control-') && theirs?.toLowerCase() === ours?.toLowerCase(),
  },
  {
    name: 'own-cors',
    reason: 'Where the gateway answers for CORS it does so alone: two answers are none for a browser.',
    covers: ({ facet, theirs }, { request }) =>
      facet === 'header:access-control-allow-origin' &&
      header(request, 'x-stub-answer') === 'error-id' &&
      theirs?.includes('https://upstream.test') === true,
  },
]
