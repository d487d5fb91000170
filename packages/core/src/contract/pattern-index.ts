/** Finds whose patterns match a type, and remembers what it found. */
import { PatternTrie } from './pattern-trie.ts'
import { assertPattern, isPattern, isType } from './type.ts'

/** Types whose matches are remembered. Beyond it the memory starts over: the types may come from strangers. */
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
    if (!isType(type)) return NOTHING
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

  /** A map that was cleared would stay old for the garbage collector, and with it everything that it ever held. */
  #forget(): void {
    if (this.#cache.size > 0) this.#cache = new Map()
    this.#cachedMatches = 0
  }

  /** Each once. Where there is nothing to put in order, nothing more is looked up. */
  #inOrder(found: readonly T[]): readonly T[] {
    if (found.length === 0) return NOTHING
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
  const wanted = pattern.split('.')
  const tokens = type.split('.')
  const rest = wanted.at(-1) === '>'
  if (rest ? tokens.length < wanted.length : tokens.length !== wanted.length) return false
  return wanted.every((token, i) => token === '*' || token === '>' || token === tokens[i])
}

const NOTHING: readonly never[] = Object.freeze([])
