/** Choices that follow from a seed. */
import { seededRandom } from '@bus/testing/chaos'

/** Draws from one sequence of random numbers. */
export class Choice {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  /** An integer from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  /** Whether something of this probability happens. */
  chance(probability: number): boolean {
    return this.#random() < probability
  }

  /** One of them. */
  of<T>(all: readonly [T, ...T[]]): T {
    return all[this.below(all.length)] ?? all[0]
  }

  /** So many things, from `min` to `max`. */
  some<T>(min: number, max: number, make: (i: number) => T): T[] {
    return Array.from({ length: min + this.below(max - min + 1) }, (_, i) => make(i))
  }
}

/** The choices of one input: they depend on nothing that was drawn before it. */
export function choicesOf(seed: number, index: number): Choice {
  return new Choice(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35))
}
