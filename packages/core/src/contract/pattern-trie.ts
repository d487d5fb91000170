/** A trie of patterns by token: no pattern becomes a regular expression. */

/**
 * A place in the trie. With a hundred thousand patterns a search is as slow as the memory that it touches, so nothing is
 * made before it is needed, and wildcards are found without a look into a map.
 */
interface Node<T> {
  /** What is left of the pattern of {@link values}. Not empty: it is the only pattern here, and nothing lies behind. */
  tail: string
  values: Set<T> | undefined
  /** By the next token. */
  children: Map<string, Node<T>> | undefined
  /** Behind `*`. */
  one: Node<T> | undefined
  /** Behind `>`. */
  rest: Node<T> | undefined
}

interface Step<T> {
  readonly parent: Node<T>
  readonly token: string
}

const DOT = '.'
const STAR = 42
const GREATER = 62

/**
 * Pairs of pattern and value. The caller has checked patterns and types against the grammar, which bounds the depth.
 *
 * ```
 *   (root) ──┬── order ──┬── created ●      order.created
 *            │           ├── *  ── eu ●     order.*.eu
 *            │           └── >  ●           order.>
 *            └── stock · *.counted ●        stock.*.counted: in one piece, as long as it is alone
 * ```
 */
export class PatternTrie<T> {
  readonly #root: Node<T> = newNode('')
  #nodes = 0

  /** How many nodes there are below the root: none that no pair needs. */
  get nodes(): number {
    return this.#nodes
  }

  /** `false`: the pair was there. */
  add(pattern: string, value: T): boolean {
    const node = this.#grow(pattern)
    if (node.values?.has(value) === true) return false
    node.values ??= new Set()
    node.values.add(value)
    return true
  }

  /** Removes a pair, with the branches that only it needed. `false`: it was not there. */
  delete(pattern: string, value: T): boolean {
    const path: Step<T>[] = []
    let node = this.#root
    let at = 0
    while (at < pattern.length && node.tail === '') {
      const end = endOfToken(pattern, at)
      const token = pattern.slice(at, end)
      const child = childOf(node, token)
      if (child === undefined) return false
      path.push({ parent: node, token })
      node = child
      at = end + 1
    }
    if (node.tail !== pattern.slice(at) || node.values?.delete(value) !== true) return false
    if (node.values.size > 0) return true
    node.values = undefined
    this.#prune(node, path)
    return true
  }

  /** The values whose patterns match, one once for each of its patterns. */
  match(type: string): T[] {
    const found: T[] = []
    collect(this.#root, type, 0, found)
    return found
  }

  /** The node of a pattern, which is made where there is none. */
  #grow(pattern: string): Node<T> {
    let node = this.#root
    let at = 0
    while (node.tail !== pattern.slice(at)) {
      if (node.tail !== '') this.#pushDown(node)
      if (at >= pattern.length) break
      const end = endOfToken(pattern, at)
      const token = pattern.slice(at, end)
      at = end + 1
      node = childOf(node, token) ?? this.#addChild(node, token, pattern.slice(at))
    }
    return node
  }

  /** The only pattern of a node makes way: it moves one token on. */
  #pushDown(node: Node<T>): void {
    const { tail, values } = node
    const end = endOfToken(tail, 0)
    const child = this.#addChild(node, tail.slice(0, end), tail.slice(end + 1))
    child.values = values
    node.tail = ''
    node.values = undefined
  }

  #addChild(parent: Node<T>, token: string, tail: string): Node<T> {
    const child = newNode<T>(tail)
    setChild(parent, token, child)
    this.#nodes++
    return child
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

function newNode<T>(tail: string): Node<T> {
  return { tail, values: undefined, children: undefined, one: undefined, rest: undefined }
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

function endOfToken(text: string, at: number): number {
  const dot = text.indexOf(DOT, at)
  return dot === -1 ? text.length : dot
}

/** Visits every branch that the type from `at` on can take; `at` is behind its end when no token is left. */
function collect<T>(node: Node<T>, type: string, at: number, found: T[]): void {
  const { tail, children, one, rest } = node
  if (tail !== '') {
    if (isMatch(tail, type, at)) take(node, found)
    return
  }
  if (at > type.length) {
    take(node, found)
    return
  }
  if (rest !== undefined) take(rest, found)
  if (children === undefined && one === undefined) return
  const end = endOfToken(type, at)
  const child = children?.get(type.slice(at, end))
  if (child !== undefined) collect(child, type, end + 1, found)
  if (one !== undefined) collect(one, type, end + 1, found)
}

/** Whether the rest of a pattern matches the type from `at` on, letter by letter. */
function isMatch(tail: string, type: string, at: number): boolean {
  let next = at
  for (let i = 0; i < tail.length; i++) {
    if (next >= type.length) return false
    const code = tail.charCodeAt(i)
    if (code === GREATER) return true
    if (code === STAR) next = endOfToken(type, next)
    else if (code === type.charCodeAt(next)) next++
    else return false
  }
  return next === type.length
}

function take<T>({ values }: Node<T>, found: T[]): void {
  if (values !== undefined) for (const value of values) found.push(value)
}
