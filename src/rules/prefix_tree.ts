interface Node<T> {
  /** The text between the parent and this node; empty for the root alone. */
  label: string
  readonly entries: T[]
  /** By the first UTF-16 code unit of the child's label. */
  readonly children: Map<number, Node<T>>
}

/**
 * Finds all entries whose prefix a text starts with, in a time that depends on the text and not on the number of
 * entries: a radix tree, as in most HTTP routers.
 */
export class PrefixTree<T> {
  readonly #root: Node<T> = { label: '', entries: [], children: new Map() }

  add(prefix: string, entry: T): void {
    let node = this.#root
    let rest = prefix
    while (rest !== '') {
      let child = node.children.get(rest.charCodeAt(0))
      if (child === undefined) {
        child = { label: rest, entries: [], children: new Map() }
        node.children.set(rest.charCodeAt(0), child)
      } else {
        const common = commonLength(child.label, rest)
        if (common < child.label.length) child = split(node, child, common)
      }
      rest = rest.slice(child.label.length)
      node = child
    }
    node.entries.push(entry)
  }

  /** Appends the entries to `found`, those with the shortest prefixes first. */
  find(text: string, found: T[]): void {
    let node: Node<T> | undefined = this.#root
    let position = 0
    while (node !== undefined) {
      for (const entry of node.entries) found.push(entry)
      if (position === text.length) return
      node = node.children.get(text.charCodeAt(position))
      if (node === undefined) return
      const { label } = node
      // The first character is what the child was found by.
      if (label.length > 1 && !text.startsWith(label, position)) return
      position += label.length
    }
  }
}

function commonLength(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

/** Puts a node between the parent and the child, after so many characters of the child's label. */
function split<T>(parent: Node<T>, child: Node<T>, length: number): Node<T> {
  const between: Node<T> = { label: child.label.slice(0, length), entries: [], children: new Map() }
  parent.children.set(between.label.charCodeAt(0), between)
  child.label = child.label.slice(length)
  between.children.set(child.label.charCodeAt(0), child)
  return between
}
