/** The known name that is nearest to a misspelt one. */

/** Longer names are no slip of the finger, and comparing costs the product of the lengths. */
const MAX_LENGTH = 64

/** The nearest of `known`, or `undefined` when none is near enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const away = distance(name.toLowerCase(), candidate.toLowerCase())
    if (away >= bestDistance) continue
    best = candidate
    bestDistance = away
  }
  return best
}

/** Levenshtein distance, one row of the table at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
