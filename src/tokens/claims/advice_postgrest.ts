/** What PostgREST refuses, or takes for something else than it was meant: its `Auth/Jwt.hs`, versions 12 to 16. */
import type { Advice } from './advice.ts'
import type { Outline, OutlineObject } from './outline.ts'

const AUDIENCE = 'postgrest'

export function postgrestAdvice({ members, complete }: OutlineObject): readonly Advice[] {
  return [...audienceAdvice(members.get('aud')), ...roleAdvice(members, complete)]
}

function audienceAdvice(audience: Outline): readonly Advice[] {
  if (audience === undefined) return []
  const path = ['aud']
  if (Array.isArray(audience) && audience.length === 0) {
    const message = 'An empty aud is meant for nobody: PostgREST before version 13 refuses such tokens'
    return [{ message, path, hint: 'Name the servers that the token is for, or leave aud out.' }]
  }
  const items: readonly Outline[] = Array.isArray(audience) ? audience : [audience]
  if (items.every((item) => item === undefined || typeof item === 'string')) return []
  const message = 'aud is neither a text nor a list of texts (RFC 7519 section 4.1.3): verifiers refuse such tokens'
  return [{ message, path, hint: 'Write a text, or a list of texts.' }]
}

function roleAdvice(members: ReadonlyMap<string, Outline>, complete: boolean): readonly Advice[] {
  const path = ['role']
  const hint = 'Add role: the name of the database role to switch to.'
  if (!members.has('role')) {
    if (!complete || !isFor(members.get('aud'))) return []
    return [{ message: 'Without a claim role PostgREST takes the request for an anonymous one', path: [], hint }]
  }
  const role = members.get('role')
  if (role === undefined || (typeof role === 'string' && role !== '')) return []
  return [{ message: 'PostgREST finds no database role that is called by this role', path, hint: 'Write a text.' }]
}

const isFor = (audience: Outline): boolean =>
  audience === AUDIENCE || (Array.isArray(audience) && audience.includes(AUDIENCE))
