/** A list in parts: what one request takes. */

/** As many items in each part as `size`, fewer in the last. */
export function partsOf<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = []
  for (let i = 0; i < items.length; i += size) parts.push(items.slice(i, i + size))
  return parts
}
