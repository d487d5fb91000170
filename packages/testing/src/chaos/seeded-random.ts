/** Repeatable random numbers: the same seed gives the same sequence. */
import type { Random } from '@bus/core'

/**
 * A generator of numbers in [0, 1) for simulations, not for secrets.
 *
 * @param seed - an integer; its low 32 bits count
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  // mulberry32: small, quick, and even enough for delays and sizes.
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** An integer from `min` to `max`, both included. */
export function integerBetween(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1))
}
