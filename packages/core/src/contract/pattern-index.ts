/** Finds whose patterns match a type, and remembers what it found. */

import { assertPattern, isPattern, isType } from './type.ts'
import type { Random } from './clock.ts'

/** Types whose matches are remembered. Beyond it the memory starts over: the types may come from untrusted clients. */
const MAX_CACHED_TYPES = 4_096
/** Matches that are remembered, over all types: a type may match many values. */
const MAX_CACHED_MATCHES = 262_144

/** Values by pattern. `*` stands for one token, `>` at the end for one or more. */
export class PatternIndex<T> {
  readonly #trie = new PatternTrie<T>()
  /** The place of a value's first pattern among all. */
  readonly #order = new Map<T, number>()
  /** How many patterns a value has beyond one, where it has: most have no entry, which with many patterns is much memory. */
  readonly #more = new Map<T, number>()
  #cache = new Map<string, readonly T[]>()
  #cachedMatches = 0
  #size = 0
  #nextOrder = 0

  /** How many pairs of pattern and value there are. */
  get size(): number {
    return this.#size
  }

  /**
   * Adds a pair; one that is there already is not added twice.
   *
   * @throws `ConfigError` for a pattern outside the grammar
   */
  add(pattern: string, value: T): void {
    assertPattern(pattern)
    if (!this.#trie.add(pattern, value)) return
    if (this.#order.has(value)) this.#more.set(value, (this.#more.get(value) ?? 0) + 1)
    else this.#order.set(value, this.#nextOrder++)
    this.#size++
    this.#forget()
  }

  /** Removes a pair. `false`: it was not there. */
  delete(pattern: string, value: T): boolean {
    if (!isPattern(pattern) || !this.#trie.delete(pattern, value)) return false
    const more = this.#more.get(value)
    if (more === undefined) this.#order.delete(value)
    else if (more === 1) this.#more.delete(value)
    else this.#more.set(value, more - 1)
    this.#size--
    this.#forget()
    return true
  }

  /** The values with a pattern that matches, each once, in the order in which they were first added. */
  match(type: string): readonly T[] {
    const cached = this.#cache.get(type)
    if (cached !== undefined) return cached
    // The grammar bounds the depth of the search, and what goes into the cache.
    if (!isType(type)) return NO_MATCHES
    const values = this.#inOrder(this.#trie.match(type))
    this.#cachedMatches += values.length
    if (this.#cache.size >= MAX_CACHED_TYPES || this.#cachedMatches > MAX_CACHED_MATCHES) {
      this.#forget()
      this.#cachedMatches = values.length
    }
    // A copy: the type may be cut from a large text, which the cache would keep alive.
    this.#cache.set(type.split('.').join('.'), values)
    return values
  }

  /** A map that was cleared would stay old for the garbage collector, and with it everything that was ever in it. */
  #forget(): void {
    if (this.#cache.size > 0) this.#cache = new Map()
    this.#cachedMatches = 0
  }

  /** Each once. Where there is nothing to put in order, nothing more is looked up. */
  #inOrder(found: readonly T[]): readonly T[] {
    if (found.length === 0) return NO_MATCHES
    if (found.length === 1) return Object.freeze(found)
    const unique = Array.from(new Set(found))
    return Object.freeze(unique.toSorted((a, b) => this.#orderOf(a) - this.#orderOf(b)))
  }

  #orderOf(value: T): number {
    return this.#order.get(value) ?? 0
  }
}

/**
 * Whether a pattern matches a type.
 *
 * @throws `ConfigError` for a pattern outside the grammar; a type outside it matches nothing
 */
export function matches(pattern: string, type: string): boolean {
  assertPattern(pattern)
  if (!isType(type)) return false
  const parts = pattern.split('.')
  const tokens = type.split('.')
  const rest = parts.at(-1) === '>'
  if (rest ? tokens.length < parts.length : tokens.length !== parts.length) return false
  return parts.every((token, i) => token === '*' || token === '>' || token === tokens[i])
}

const NO_MATCHES: readonly never[] = Object.freeze([])

/** What begins with one token. While a pattern is alone there, it is a single node, whatever its length. */
interface Node<T> {
  /** The token; in front of a pattern that is alone also the rest of the pattern. */
  text: string
  values: Values<T>
  /** What goes on behind the token. `undefined`: {@link text} is a pattern to its end. */
  branch: Branch<T> | undefined
}

/** What may come next, made when it is needed. */
interface Branch<T> {
  /** By the hash of the token. A map of strings would look at the text of every token that shares a bucket. */
  named: Map<number, Node<T>> | undefined
  /** By the token itself: those whose hash another one has in {@link named}. */
  clashing: Map<string, Node<T>> | undefined
  /** `*` */
  one: Node<T> | undefined
  /** `>` */
  rest: Node<T> | undefined
}

const DOT = 46
const STAR = 42
const GREATER = 62

/**
 * Pairs of pattern and value. The caller has checked patterns and types against the grammar, which bounds the depth.
 *
 * ```
 *   (root) ──┬── order ──┬── created ●      order.created
 *            │           ├── *.eu ●         order.*.eu
 *            │           └── > ●            order.>
 *            └── stock.*.counted ●          in one piece, as long as it is alone
 * ```
 *
 * With a hundred thousand patterns a search is as slow as the memory that it touches. A token therefore costs one look
 * into a map of numbers, and a pattern that is alone behind it one node and one text.
 */
export class PatternTrie<T> {
  readonly #root: Branch<T> = newBranch()
  readonly #seed: number
  #nodes = 0

  /** @param random - Makes the hashes unknown to clients, which could otherwise choose tokens that crowd a map. */
  constructor(random: Random = Math.random) {
    this.#seed = Math.trunc(random() * 2 ** 31)
  }

  /** How many nodes there are: none that no pair needs. */
  get nodes(): number {
    return this.#nodes
  }

  /** `false`: the pair was there. */
  add(pattern: string, value: T): boolean {
    const node = this.#grow(pattern)
    if (hasValue(node.values, value)) return false
    node.values = withValue(node.values, value)
    return true
  }

  /** Removes a pair, with the branches that only it needed. `false`: it was not there. */
  delete(pattern: string, value: T): boolean {
    return this.#deleteFrom(this.#root, pattern, 0, value)
  }

  /** The values whose patterns match, one once for each of its patterns. */
  match(type: string): T[] {
    const found: T[] = []
    this.#collect(this.#root, type, 0, found)
    return found
  }

  /** The node of a pattern, which is made where there is none. */
  #grow(pattern: string): Node<T> {
    let branch = this.#root
    let at = 0
    for (;;) {
      const end = endOfToken(pattern, at)
      const node = this.#child(branch, pattern, at, end)
      const text = pattern.slice(at)
      if (node === undefined) return this.#addChild(branch, text, end - at)
      if (node.branch === undefined && node.text === text) return node
      this.#split(node, end - at)
      if (end === pattern.length) return node
      at = end + 1
      branch = node.branch ??= newBranch()
    }
  }

  /** The only pattern of a node makes way: what is behind its first token moves on. */
  #split(node: Node<T>, length: number): void {
    const { text, values } = node
    if (text.length === length) return
    node.text = text.slice(0, length)
    node.values = NOTHING
    node.branch = newBranch()
    const tail = text.slice(length + 1)
    this.#addChild(node.branch, tail, endOfToken(tail, 0)).values = values
  }

  /** `text` begins with a token of `length` that the branch does not have. */
  #addChild(branch: Branch<T>, text: string, length: number): Node<T> {
    // Copied where it has several tokens: a text that is a part of another one costs a look at both, and keeps both.
    const own = text.split('.').join('.')
    const node: Node<T> = { text: own, values: NOTHING, branch: undefined }
    this.#nodes++
    const first = text.charCodeAt(0)
    if (first === STAR) return (branch.one = node)
    if (first === GREATER) return (branch.rest = node)
    const hash = hashToken(text, 0, this.#seed)
    branch.named ??= new Map()
    if (!branch.named.has(hash)) branch.named.set(hash, node)
    else (branch.clashing ??= new Map()).set(text.slice(0, length), node)
    return node
  }

  #deleteFrom(branch: Branch<T>, pattern: string, at: number, value: T): boolean {
    const end = endOfToken(pattern, at)
    const node = this.#child(branch, pattern, at, end)
    if (node === undefined) return false
    if (node.branch === undefined || end === pattern.length) {
      if (node.text !== pattern.slice(at) || !hasValue(node.values, value)) return false
      node.values = withoutValue(node.values, value)
    } else {
      if (!this.#deleteFrom(node.branch, pattern, end + 1, value)) return false
      if (isEmpty(node.branch)) node.branch = undefined
    }
    if (node.values === NOTHING && node.branch === undefined)
      this.#dropChild(branch, node, end - at)
    return true
  }

  #dropChild(branch: Branch<T>, node: Node<T>, length: number): void {
    this.#nodes--
    if (branch.one === node) branch.one = undefined
    else if (branch.rest === node) branch.rest = undefined
    else if (branch.clashing?.get(node.text.slice(0, length)) === node) {
      branch.clashing.delete(node.text.slice(0, length))
      if (branch.clashing.size === 0) branch.clashing = undefined
    } else {
      branch.named?.delete(hashToken(node.text, 0, this.#seed))
      if (branch.named?.size === 0) branch.named = undefined
    }
  }

  /** The child for the token of a pattern from `at` to `end`. */
  #child(branch: Branch<T>, pattern: string, at: number, end: number): Node<T> | undefined {
    const first = pattern.charCodeAt(at)
    if (first === STAR) return branch.one
    if (first === GREATER) return branch.rest
    const node = branch.named?.get(hashToken(pattern, at, this.#seed))
    const token = pattern.slice(at, end)
    return node !== undefined && isToken(token, node.text, 0) ? node : branch.clashing?.get(token)
  }

  /** Visits every way that the type can take from `at` on. */
  #collect(branch: Branch<T>, type: string, at: number, found: T[]): void {
    const { named, clashing, one, rest } = branch
    if (rest !== undefined) collectValues(rest.values, found)
    if (one !== undefined) this.#visit(one, type, at, found)
    const child = named?.get(hashToken(type, at, this.#seed))
    if (child !== undefined) this.#visit(child, type, at, found)
    const clash = clashing?.get(type.slice(at, endOfToken(type, at)))
    if (clash !== undefined) this.#visit(clash, type, at, found)
  }

  /** The token at `at` may still be another one than the node's, with the same hash. */
  #visit({ text, values, branch }: Node<T>, type: string, at: number, found: T[]): void {
    if (branch === undefined) {
      if (isMatch(text, type, at)) collectValues(values, found)
      return
    }
    const isAny = text === '*'
    if (!isAny && !isToken(text, type, at)) return
    const end = isAny ? endOfToken(type, at) : at + text.length
    if (end === type.length) collectValues(values, found)
    else this.#collect(branch, type, end + 1, found)
  }
}

function newBranch<T>(): Branch<T> {
  return { named: undefined, clashing: undefined, one: undefined, rest: undefined }
}

function isEmpty<T>({ named, clashing, one, rest }: Branch<T>): boolean {
  return named === undefined && clashing === undefined && one === undefined && rest === undefined
}

/** Letter by letter: tokens are short. */
function endOfToken(text: string, at: number): number {
  let end = at
  while (end < text.length && text.charCodeAt(end) !== DOT) end++
  return end
}

/** Whether the token that begins at `at` is this one. */
function isToken(token: string, text: string, at: number): boolean {
  const end = at + token.length
  return text.startsWith(token, at) && (end === text.length || text.charCodeAt(end) === DOT)
}

/** Whether a pattern, or the rest of one, matches the type from `at` on, letter by letter. */
function isMatch(pattern: string, type: string, at: number): boolean {
  let next = at
  for (let i = 0; i < pattern.length; i++) {
    if (next >= type.length) return false
    const code = pattern.charCodeAt(i)
    if (code === GREATER) return true
    if (code === STAR) next = endOfToken(type, next)
    else if (code === type.charCodeAt(next)) next++
    else return false
  }
  return next === type.length
}

/** Nearly every pattern has one value, which needs no set around it. */
export type Values<T> = T | Several<T> | typeof NOTHING

/** Not exported, because a value may itself be a set: no other module can make one of these. */
class Several<T> extends Set<T> {}

/** No value. `undefined` may be one. */
export const NOTHING: unique symbol = Symbol('nothing')

/** Whether the value is among them. */
export function hasValue<T>(values: Values<T>, value: T): boolean {
  if (values instanceof Several) return values.has(value)
  // As a set compares.
  return values === value || Object.is(values, value)
}

/** The values with one more, which was not among them. */
export function withValue<T>(values: Values<T>, value: T): Values<T> {
  if (values === NOTHING) return value
  if (values instanceof Several) return values.add(value)
  return new Several<T>().add(values).add(value)
}

/** The values without one that was among them. */
export function withoutValue<T>(values: Values<T>, value: T): Values<T> {
  if (!(values instanceof Several)) return NOTHING
  values.delete(value)
  return values.size === 0 ? NOTHING : values
}

/** Appends each value to `found`. */
export function collectValues<T>(values: Values<T>, found: T[]): void {
  if (values === NOTHING) return
  if (values instanceof Several) for (const value of values) found.push(value)
  else found.push(values)
}

/** A number for each token, by which it is found without a look at its text. */

/**
 * The hash of the token that begins at `at` and ends before a dot or with the text. The same token gives the same number
 * under the same seed, one that every engine has as a small integer.
 */
export function hashToken(text: string, at: number, seed: number): number {
  let hash = seed
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === DOT) break
    hash = Math.imul(hash ^ code, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash >> 1
}
