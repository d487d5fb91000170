/** A trie of patterns by token: no pattern becomes a regular expression. */

/**
 * A place in the trie. With a hundred thousand patterns a search is as slow as the memory that it touches, so nothing is
 * made before it is needed, and wildcards are found without a look into a map.
 */
interface Node<T> {
  /** By the next token. */
  children: Map<string, Node<T>> | undefined
  /** Behind `*`. */
  one: Node<T> | undefined
  /** Behind `>`. */
  rest: Node<T> | undefined
  /** Values whose pattern ends here. */
  values: Set<T> | undefined
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
      let child = childOf(node, token)
      if (child === undefined) {
        child = newNode()
        setChild(node, token, child)
        this.#nodes++
      }
      node = child
    }
    if (node.values?.has(value) === true) return false
    node.values ??= new Set()
    node.values.add(value)
    return true
  }

  /** Removes a pair, with the branches that only it needed. `false`: it was not there. */
  delete(pattern: string, value: T): boolean {
    const path: Step<T>[] = []
    let node = this.#root
    for (const token of pattern.split('.')) {
      const child = childOf(node, token)
      if (child === undefined) return false
      path.push({ parent: node, token })
      node = child
    }
    if (node.values?.delete(value) !== true) return false
    if (node.values.size === 0) node.values = undefined
    this.#prune(node, path)
    return true
  }

  /** The values whose patterns match, one once for each of its patterns. */
  match(type: string): T[] {
    const found: T[] = []
    collect(this.#root, type, 0, found)
    return found
  }

  #prune(leaf: Node<T>, path: readonly Step<T>[]): void {
    let node = leaf
    for (const { parent, token } of path.toReversed()) {
      if (node.values !== undefined || node.children !== undefined) return
      if (node.one !== undefined || node.rest !== undefined) return
      setChild(parent, token, undefined)
      this.#nodes--
      node = parent
    }
  }
}

function newNode<T>(): Node<T> {
  return { children: undefined, one: undefined, rest: undefined, values: undefined }
}

function childOf<T>(node: Node<T>, token: string): Node<T> | undefined {
  if (token === '*') return node.one
  return token === '>' ? node.rest : node.children?.get(token)
}

function setChild<T>(node: Node<T>, token: string, child: Node<T> | undefined): void {
  if (token === '*') node.one = child
  else if (token === '>') node.rest = child
  else if (child !== undefined) (node.children ??= new Map()).set(token, child)
  else {
    node.children?.delete(token)
    if (node.children?.size === 0) node.children = undefined
  }
}

/** Visits every branch that the type from `at` on can take; `at` is behind its end when no token is left. */
function collect<T>(node: Node<T>, type: string, at: number, found: T[]): void {
  if (at > type.length) {
    take(node, found)
    return
  }
  const { children, one, rest } = node
  if (rest !== undefined) take(rest, found)
  if (children === undefined && one === undefined) return
  const dot = type.indexOf('.', at)
  const end = dot === -1 ? type.length : dot
  const child = children?.get(type.slice(at, end))
  if (child !== undefined) collect(child, type, end + 1, found)
  if (one !== undefined) collect(one, type, end + 1, found)
}

function take<T>({ values }: Node<T>, found: T[]): void {
  if (values !== undefined) for (const value of values) found.push(value)
}
