/** What a config and its rules say, as written, and where: for advice on keys that schemas have no objection to. */
import { isMap } from '../documents/layers.ts'
import type { Locate, Path, Problem } from '../documents/problem.ts'
import type { LoadedRule } from '../rules/rule.ts'

/** One value and where it stands. */
export interface Spot {
  readonly value: unknown
  readonly place: Problem['place']
}

export type HandlerKind = 'authenticators' | 'authorizers' | 'mutators' | 'errors'

export interface Written {
  /** The value of a key of the config, `serve.proxy.port` say; none when it is not written. */
  readonly key: (dotted: string) => readonly Spot[]
  /** The items of a list of the config. */
  readonly items: (dotted: string) => readonly Spot[]
  /** Where the config enables a handler. */
  readonly enabled: (kind: HandlerKind, name: string) => readonly Spot[]
  /** A key in a handler's settings, `api.retry` say: in the config while it enables the handler, and in each rule. */
  readonly setting: (kind: HandlerKind, name: string, dotted: string) => readonly Spot[]
  readonly rules: readonly LoadedRule[]
}

/** Takes the config's layers as merged, or anything else that a file may hold. */
export function readWritten(config: unknown, locate: Locate, rules: readonly LoadedRule[]): Written {
  const tableOf = (kind: HandlerKind): Path => (kind === 'errors' ? ['errors', 'handlers'] : [kind])
  const enabled: Written['enabled'] = (kind, name) => {
    const path = [...tableOf(kind), name]
    return valueAt(config, [...path, 'enabled']) === true ? spotAt(config, path, locate) : []
  }
  return {
    key: (dotted) => spotAt(config, dotted.split('.'), locate),
    items(dotted) {
      const path = dotted.split('.')
      const list = valueAt(config, path)
      return isList(list) ? list.map((value, index) => ({ value, place: locate([...path, index]) })) : []
    },
    enabled,
    setting(kind, name, dotted) {
      const below = ['config', ...dotted.split('.')]
      const path = [...tableOf(kind), name, ...below]
      const global = enabled(kind, name).length === 0 ? [] : spotAt(config, path, locate)
      return [...global, ...rules.flatMap((loaded) => settingsOf(loaded, kind, name, below))]
    },
    rules,
  }
}

function settingsOf({ rule, locate }: LoadedRule, kind: HandlerKind, name: string, below: Path): readonly Spot[] {
  const refs = {
    authenticators: rule.authenticators,
    authorizers: rule.authorizer,
    mutators: rule.mutators,
    errors: rule.errors ?? [],
  }[kind]
  const key = kind === 'authorizers' ? 'authorizer' : kind
  if ('handler' in refs) return refs.handler === name ? spotAt(refs, below, locate, [key]) : []
  return refs.flatMap((ref, index) => (ref.handler === name ? spotAt(ref, below, locate, [key, index]) : []))
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

function spotAt(root: unknown, path: Path, locate: Locate, above: Path = []): readonly Spot[] {
  const value = valueAt(root, path)
  return value === undefined ? [] : [{ value, place: locate([...above, ...path], 'key') }]
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const step of path) {
    if (!isMap(value) || !Object.hasOwn(value, step)) return undefined
    value = value[step]
  }
  return value
}
