/** A number for each token, by which it is found without a look at its text. */

/** The same text gives the same number under the same seed. It fits the small integers of every engine. */
export function hashToken(text: string, from: number, to: number, seed: number): number {
  let hash = seed
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash >> 1
}
