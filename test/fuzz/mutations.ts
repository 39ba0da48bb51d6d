/** Ways in which people, editors and templates break documents. */
import * as fc from 'fast-check'

type Tree = unknown
type Container = unknown[] | Record<string, unknown>

/** Values that somebody did not expect at some place. */
const surprises: readonly (() => Tree)[] = [
  () => null,
  () => true,
  () => 0,
  () => -1,
  () => 1e308,
  () => '',
  () => 'x'.repeat(5000),
  () => '\u0000\ud800\u202e',
  () => '{{ .Subject',
  () => '{{ range .Extra }}{{ template "x" }}{{ end }}',
  () => 'http://127.0.0.1:9/<([',
  () => 'file:///nowhere/at/all.json',
  () => 'base64://e30=',
  () => '${NOWHERE}',
  () => '@this.#(a=="',
  () => [],
  () => ({}),
  () => [[[]], {}],
  () => ({ constructor: 1, toString: { a: null }, ' ': '\n' }),
  () => nested(400),
  () => Array.from({ length: 300 }, (_, index) => ({ handler: `h${index}` })),
]

const nested = (depth: number): Tree => Array.from({ length: depth }).reduce((inner) => ({ a: [inner] }), {} as Tree)

/** Every place in a tree: a container and a key of it. */
function placesOf(root: Tree): { readonly container: Container; readonly key: string | number }[] {
  if (typeof root !== 'object' || root === null) return []
  const container = root as Container
  const keys = Array.isArray(container) ? container.keys() : Object.keys(container)
  return [...keys].flatMap((key) => [{ container, key }, ...placesOf(at(container, key))])
}

const at = (container: Container, key: string | number): Tree => (container as Record<string | number, unknown>)[key]

function replaceKey(container: Record<string, unknown>, key: string, renamed: string): void {
  const value = container[key]
  delete container[key]
  if (renamed !== '__proto__') container[renamed] = value
}

const treeOperations: readonly ((container: Container, key: string | number, random: number, root: Tree) => void)[] = [
  // left out
  (container, key) => {
    if (Array.isArray(container)) container.splice(key as number, 1)
    else delete container[key]
  },
  // of another kind
  (container, key, random) => {
    ;(container as Record<string | number, unknown>)[key] = surprises[random % surprises.length]!()
  },
  // said twice
  (container, key) => {
    if (Array.isArray(container)) container.push(structuredClone(container[key as number]))
    else container[`${key}2`] = structuredClone(container[key])
  },
  // mistyped
  (container, key, random) => {
    if (Array.isArray(container)) container.reverse()
    else {
      const name = String(key)
      const renamed = [name.slice(1), `${name}s`, name.toUpperCase(), '', 'constructor', '__proto__'][random % 6]!
      replaceKey(container, name, renamed)
    }
  },
  // a list where there was one, or one where there was a list
  (container, key) => {
    const value = at(container, key)
    ;(container as Record<string | number, unknown>)[key] = Array.isArray(value) ? value[0] : [value]
  },
  // what stands elsewhere
  (container, key, random, root) => {
    const places = placesOf(root)
    const other = places[random % places.length]!
    ;(container as Record<string | number, unknown>)[key] = structuredClone(at(other.container, other.key))
  },
]

interface TreeMutation {
  readonly place: number
  readonly operation: number
  readonly random: number
}

export const treeMutations: fc.Arbitrary<readonly TreeMutation[]> = fc.array(
  fc.record({ place: fc.nat(), operation: fc.nat(treeOperations.length - 1), random: fc.nat() }),
  { minLength: 1, maxLength: 4 },
)

/** A changed copy. */
export function mutateTree(original: Tree, mutations: readonly TreeMutation[]): Tree {
  const root = structuredClone(original)
  for (const { place, operation, random } of mutations) {
    const places = placesOf(root)
    if (places.length === 0) return root
    const { container, key } = places[place % places.length]!
    treeOperations[operation]!(container, key, random, root)
  }
  return root
}

const garbage = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom(
    '\t',
    '- ',
    ': ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '&a ',
    '*a',
    '<<: ',
    '|\n',
    '#',
    '%',
    '\u0000',
    '\ufeff',
    '!!js ',
  ),
  fc.nat(3000).map((depth) => '['.repeat(depth)),
  fc.nat(3000).map((depth) => '{"a":'.repeat(depth)),
)

interface TextMutation {
  readonly kind: 'cut' | 'insert' | 'replace' | 'repeat'
  readonly from: number
  readonly length: number
  readonly garbage: string
}

export const textMutations: fc.Arbitrary<readonly TextMutation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('cut', 'insert', 'replace', 'repeat'),
    from: fc.nat(),
    length: fc.nat(40),
    garbage,
  }),
  { minLength: 1, maxLength: 3 },
)

export function mutateText(original: string, mutations: readonly TextMutation[]): string {
  return mutations.reduce((text, { kind, from, length, garbage: inserted }) => {
    const start = text === '' ? 0 : from % text.length
    const [before, part, after] = [text.slice(0, start), text.slice(start, start + length), text.slice(start + length)]
    switch (kind) {
      case 'cut':
        return before
      case 'insert':
        return before + inserted + part + after
      case 'replace':
        return before + inserted + after
      case 'repeat':
        return before + part + part + after
    }
  }, original)
}
