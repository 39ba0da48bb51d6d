/** The admin API's identities: look, change by JSON Patch (RFC 6902, add, replace and remove), delete. */
import type { Kratos } from './credentials.ts'
import { badRequest, notFound } from './errors.ts'
import { empty, json, parseJson, uuid, type Route } from './http.ts'
import { identityJson, type Identity } from './identities.ts'

const patchable = new Set(['external_id', 'state', 'traits', 'metadata_public', 'metadata_admin'])

interface Operation {
  readonly op?: unknown
  readonly path?: unknown
  readonly value?: unknown
}

const apply = (identity: Identity, { op, path, value }: Operation): void => {
  const names = typeof path === 'string' ? path.split('/').slice(1) : []
  const steps = names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = steps.pop()
  if (last === undefined || !patchable.has(steps[0] ?? last))
    throw badRequest('The patch has a path that is not allowed.')
  let target: unknown = identity
  for (const step of steps) target = Object.hasOwn(Object(target), step) && (target as Record<string, unknown>)[step]
  if (typeof target !== 'object' || target === null || last === '__proto__') {
    throw badRequest('The patch has a path that does not exist.')
  }
  if (op === 'remove') delete (target as Record<string, unknown>)[last]
  else if (op === 'add' || op === 'replace') (target as Record<string, unknown>)[last] = value
  else throw badRequest('The patch has an operation that is not supported.')
}

export const createAdminIdentities = ({ settings, store }: Kratos) => {
  const identity = (id: string | undefined): Identity => {
    const found = store.identities.get(uuid(id))
    if (found === undefined) throw notFound()
    return found
  }

  const get: Route = (_call, [id]) => json(200, identityJson(identity(id), settings.baseUrl, true))

  const getByExternalId: Route = (_call, [externalId = '']) => {
    for (const of of store.identities.values()) {
      if (of.external_id === decodeURIComponent(externalId)) return json(200, identityJson(of, settings.baseUrl, true))
    }
    throw notFound()
  }

  const patch: Route = (call, [id]) => {
    const current = identity(id)
    const operations = parseJson(call.body.toString('utf8'))
    if (!Array.isArray(operations)) throw badRequest('Expected a JSON Patch document.')
    const changed = structuredClone(current)
    for (const operation of operations) apply(changed, operation as Operation)
    if (changed.state !== 'active' && changed.state !== 'inactive') throw badRequest('Identity state is not valid.')
    changed.updated_at = new Date(settings.now()).toISOString()
    if (changed.state !== current.state) changed.state_changed_at = changed.updated_at
    store.identities.set(changed.id, changed)
    return json(200, identityJson(changed, settings.baseUrl, true))
  }

  const remove: Route = (_call, [id]) => {
    store.deleteIdentity(identity(id).id)
    return empty(204)
  }

  return { get, getByExternalId, patch, remove }
}
