/** Whether everything that one pattern matches is also matched by another. */

/** Both are patterns of the grammar. A type is a pattern that matches itself. */
export function covers(grant: string, pattern: string): boolean {
  const granted = grant.split('.')
  const asked = pattern.split('.')
  for (const [i, token] of asked.entries()) {
    const rule = granted[i]
    if (rule === '>') return true
    if (rule === undefined || token === '>') return false
    if (rule !== '*' && rule !== token) return false
  }
  return granted.length === asked.length
}
