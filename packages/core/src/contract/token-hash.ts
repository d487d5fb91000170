/** A number for each token, by which it is found without a look at its text. */

const DOT = 46

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
