/** The sequence numbers of one feed: what is new, what is missing, and what has been seen. */

/** What a number says about those before it. */
export type Step =
  | { readonly kind: 'next' }
  /** So many before it never came. */
  | { readonly kind: 'gap'; readonly missing: number }
  /** It came before, or too late. */
  | { readonly kind: 'old' }

/** Follows the numbers over all connections: what is missed between two of them is a gap as well. */
export class Sequence {
  #last: number | undefined

  take(number: number): Step {
    const last = this.#last
    if (last !== undefined && number <= last) return { kind: 'old' }
    this.#last = number
    const missing = last === undefined ? 0 : number - last - 1
    return missing === 0 ? { kind: 'next' } : { kind: 'gap', missing }
  }
}
