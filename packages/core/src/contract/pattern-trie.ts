/** A trie of patterns by token: no pattern becomes a regular expression. */

interface Node<T> {
  readonly children: Map<string, Node<T>>
  /** Values whose pattern ends here. */
  readonly values: Set<T>
}

interface Step<T> {
  readonly parent: Node<T>
  readonly token: string
}

/**
 * Pairs of pattern and value. The caller has checked patterns and types against the grammar, which bounds the depth.
 *
 * ```
 *   (root) ── order ──┬── created ●      order.created
 *                     ├── *  ── eu ●     order.*.eu
 *                     └── >  ●           order.>
 * ```
 */
export class PatternTrie<T> {
  readonly #root: Node<T> = newNode()
  #nodes = 0

  /** How many nodes there are below the root: none that no pair needs. */
  get nodes(): number {
    return this.#nodes
  }

  /** `false`: the pair was there. */
  add(pattern: string, value: T): boolean {
    let node = this.#root
    for (const token of pattern.split('.')) {
      let child = node.children.get(token)
      if (child === undefined) {
        child = newNode()
        node.children.set(token, child)
        this.#nodes++
      }
      node = child
    }
    if (node.values.has(value)) return false
    node.values.add(value)
    return true
  }

  /** Removes a pair, with the branches that only it needed. `false`: it was not there. */
  delete(pattern: string, value: T): boolean {
    const path: Step<T>[] = []
    let node = this.#root
    for (const token of pattern.split('.')) {
      const child = node.children.get(token)
      if (child === undefined) return false
      path.push({ parent: node, token })
      node = child
    }
    if (!node.values.delete(value)) return false
    this.#prune(node, path)
    return true
  }

  /** The values whose patterns match, each once. */
  match(type: string): Set<T> {
    const found = new Set<T>()
    collect(this.#root, type.split('.'), 0, found)
    return found
  }

  #prune(leaf: Node<T>, path: readonly Step<T>[]): void {
    let node = leaf
    for (const { parent, token } of path.toReversed()) {
      if (node.values.size > 0 || node.children.size > 0) return
      parent.children.delete(token)
      this.#nodes--
      node = parent
    }
  }
}

function newNode<T>(): Node<T> {
  return { children: new Map(), values: new Set() }
}

/** Visits every branch that the tokens from `depth` on can take. */
function collect<T>(node: Node<T>, tokens: readonly string[], depth: number, found: Set<T>): void {
  const token = tokens[depth]
  if (token === undefined) {
    for (const value of node.values) found.add(value)
    return
  }
  const rest = node.children.get('>')
  if (rest !== undefined) for (const value of rest.values) found.add(value)
  for (const next of [node.children.get(token), node.children.get('*')]) {
    if (next !== undefined) collect(next, tokens, depth + 1, found)
  }
}
