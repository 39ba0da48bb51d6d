/** What upstreams and services get to see, and what comes back from them. */
import { aboutPath, called, decoded, type Deliberate, header, templatesOf, withoutNoise } from './context.ts'

/** A session document without what mutators have set, which Oathkeeper mixes with the client's headers after noop. */
const withoutEdits = (text: string | undefined): string =>
  withoutNoise(text).replaceAll(/"header":(null|\{.*?\}),"(match_context|method)"/g, '$2')

const withoutSlash = (target: string): string =>
  decoded(target)
    .replace(/\?$/, '')
    .replace(/\/(\?|$)/, '$1')

/** A relative `to` of a redirect handler, resolved against two spellings of one path. */
const isRelativeLogin = (facet: string, theirs: string, ours: string): boolean =>
  ['header:location', 'body'].includes(facet) && theirs.includes('login') && ours.includes('login')

/** Whether a step sets this header, in a rule that has noop and a hydrator, too. */
function mixesBeforeHydrator(rule: unknown, name: string): boolean {
  const text = JSON.stringify(rule).toLowerCase()
  return text.includes('"noop"') && text.includes('"hydrator"') && text.includes(`"${name}"`)
}

export const inForwarding: readonly Deliberate[] = [
  {
    name: 'glob-characters',
    reason: '`?` and `[…]` match one character; the library of Oathkeeper counts the bytes of some.',
    decides: ({ scenario, request }) =>
      (scenario.config['access_rules'] as { matching_strategy?: string }).matching_strategy === 'glob' &&
      /%c3%a9/i.test(aboutPath(request)) &&
      scenario.rules.some(({ match: { url } }) => /<[^>]*[?[]/.test(url)),
  },
  {
    name: 'strip-path-without-slash',
    reason: '`/api` is no part of `/apiary`: what is left of a cut segment is not even a request target.',
    decides: ({ theirs }) => called(theirs, 'upstream').some(({ method }) => method === 'unreadable'),
  },
  {
    name: 'latin-1-headers',
    reason: 'A header that is no UTF-8 is read as Latin-1 instead of losing its letters.',
    covers: ({ facet, ours }, { request }) =>
      /^service\d*\.body$/.test(facet) &&
      header(request, 'x-bytes') !== '' &&
      ours?.includes('"X-Bytes":["café"]') === true,
  },
  {
    name: 'empty-header',
    formal: true,
    reason: 'A header without a value says what a missing one says.',
    covers: ({ facet, theirs, ours }) =>
      /^(upstream|store|service)\d*\.header:(user-agent|cookie|authorization|x-empty)$/.test(facet) &&
      (theirs ?? '') === (ours ?? ''),
  },
  {
    name: 'noop-adds-nothing',
    reason:
      "noop leaves the session as it is: the client's headers are told to the hydrator once, in match_context, and unmixed.",
    covers: ({ facet, theirs, ours }, { scenario }) =>
      /^service\d*\.body$/.test(facet) &&
      withoutEdits(theirs) === withoutEdits(ours) &&
      scenario.rules.some(({ mutators }) => JSON.stringify(mutators).includes('"noop"')),
  },
  {
    name: 'noop-adds-nothing-to-headers',
    reason:
      'After noop the headers that mutators set replace those of the client that a hydrator gets: they are not its.',
    covers: ({ facet, theirs }, { scenario, theirs: { calls } }) =>
      facet.startsWith('service') &&
      theirs !== undefined &&
      calls.some(({ target }) => target.startsWith('/hydrate/')) &&
      scenario.rules.some((rule) => mixesBeforeHydrator(rule, facet.replace(/.*header:/, ''))),
  },
  {
    name: 'hydrated-header-names',
    reason: 'A header that the service names in small letters has the value that it is given.',
    covers: ({ facet, theirs = '', ours }, { theirs: { calls } }) =>
      /^(upstream\.)?header:x-lower$/.test(facet) &&
      theirs === '' &&
      ours === 'low' &&
      calls.some(({ target }) => target.startsWith('/hydrate/more-headers')),
  },
  {
    name: 'hydrator-headers',
    reason: 'What belongs to the connection of the client ends at the gateway, and one spelling of the path is shown.',
    covers: ({ facet, theirs, ours }) =>
      /^service\d*\.body$/.test(facet) && withoutNoise(theirs) === withoutNoise(ours),
  },
  {
    name: 'client-library',
    formal: true,
    reason: "Go's HTTP client names itself, asks for gzip unasked and says from where it was redirected.",
    covers: ({ facet, theirs, ours }) =>
      (/^(store|service|upstream)\d*\.header:accept-encoding$/.test(facet) &&
        theirs?.startsWith('gzip') === true &&
        ours === undefined) ||
      (/^(store|service)\d*\.header:user-agent$/.test(facet) && theirs === 'Go-http-client/1.1') ||
      (/^store\d+\.header:referer$/.test(facet) && ours === undefined) ||
      (/^service\d*\.header:accept$/.test(facet) && theirs === undefined && ours === 'application/json') ||
      (/^service\d*\.header:content-type$/.test(facet) && theirs === '' && ours === undefined),
  },
  {
    name: 'list-in-one-line',
    formal: true,
    reason: 'Several lines of one name and one line with a list mean the same (RFC 9110 section 5.3).',
    covers: ({ facet, theirs, ours }) =>
      /^(store|service)\d*\.header:/.test(facet) && theirs?.replaceAll(' | ', ', ') === ours,
  },
  {
    name: 'no-content-sniffing',
    reason: 'An upstream that states no type gets none: guessing one is how text becomes a script.',
    covers: ({ facet, theirs, ours }, { ours: { calls } }) =>
      facet === 'header:content-type' &&
      theirs === 'text/plain; charset=utf-8' &&
      ours === undefined &&
      calls.some(({ service }) => service === 'upstream'),
  },
  {
    name: 'path-encoding',
    reason: 'One form of the path is matched, forwarded and shown; Oathkeeper forwards the spelling of the client.',
    covers: ({ facet, theirs = '', ours = '' }, { request }) =>
      /%(2f|7e|72|25|3f)|[!$&'()*,;=:@~]|\/\.{1,2}(\/|$)|\/\//i.test(aboutPath(request)) &&
      ((/^(upstream\.target|store\.target|header:location|body)$/.test(facet) &&
        decoded(decoded(theirs)) === decoded(decoded(ours))) ||
        isRelativeLogin(facet, theirs, ours)),
  },
  {
    name: 'trailing-slash',
    reason: 'Upstreams tell `/x/` from `/x`.',
    covers: ({ facet, theirs = '', ours = '' }, { request }) =>
      (aboutPath(request).endsWith('/') && isRelativeLogin(facet, theirs, ours)) ||
      (facet === 'upstream.target' && withoutSlash(ours) === withoutSlash(theirs)),
  },
  {
    name: 'empty-query',
    reason: 'A question mark with nothing behind it is no query.',
    covers: ({ facet, theirs = '', ours }, { request }) =>
      request.target.includes('?') &&
      /target|location|body|header:/.test(facet) &&
      ours === theirs.replace(/(\?|%3F)(?=$|["#&;])/, '').replace('"ForceQuery":true', '"ForceQuery":false'),
  },
  {
    name: 'query-encoding',
    reason: 'What a URL may not hold goes to the session store percent-encoded.',
    covers: ({ facet, theirs = '', ours = '' }) =>
      facet === 'store.target' && theirs.replace('<', '%3C').replace('>', '%3E') === ours,
  },
  {
    name: 'strip-path-segments',
    reason: '`/api` is no part of `/apiary`: cutting into a segment makes a path that no rule was written for.',
    covers: ({ facet, theirs = '', ours = '' }) =>
      facet === 'upstream.target' && withoutSlash(ours).replace('/r', '') === withoutSlash(theirs),
  },
  {
    name: 'noop-multi',
    reason: 'Nothing asked for the other values to be lost.',
    covers: ({ facet, theirs, ours = '' }) =>
      /^(upstream\.)?header:/.test(facet) &&
      theirs !== undefined &&
      (ours.startsWith(`${theirs} | `) || ours.startsWith(`${theirs}; `)),
  },
  {
    name: 'framing-headers',
    reason: 'A template cannot set what frames or routes a message.',
    covers: ({ facet, ours }) => facet === 'header:host' && ours === undefined,
  },
  {
    name: 'own-header-map',
    reason:
      'Templates see what came before their handler, not what others of the same handler have set, in random order.',
    covers: ({ facet }, { scenario }) =>
      facet.includes('header:') &&
      templatesOf(scenario, facet.replace(/.*header:/, '')).some((each) => each.includes('.Header')),
  },
]
