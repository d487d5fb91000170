/** How many bytes a value is taken to occupy, for bounding what is kept. */

/** What an entry costs besides its content. */
const ENTRY_BYTES = 256
/** What an object costs besides its members. */
const OBJECT_BYTES = 16
const SCALAR_BYTES = 8

/**
 * An estimate from the length of texts and bytes and the number of members. It works where JSON does not:
 * with cycles, BigInt and members that throw, which are what dead letters may be made of.
 */
export function footprint(value: unknown): number {
  let bytes = ENTRY_BYTES
  const seen = new Set<object>()
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next === 'string') bytes += next.length
    else if (typeof next !== 'object' || next === null) bytes += SCALAR_BYTES
    else if (!seen.has(next)) {
      seen.add(next)
      bytes += OBJECT_BYTES
      if (ArrayBuffer.isView(next)) bytes += next.byteLength
      else for (const part of partsOf(next)) pending.push(part)
    }
  }
  return bytes
}

function partsOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value
  try {
    return Object.entries(value).flat()
  } catch {
    // A getter threw. The estimate misses this object's members; whoever reads them gets the error.
    return []
  }
}
