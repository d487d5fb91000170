/** A copy of a payload that shares nothing with the original. */

/** Copies JSON values itself, which is several times faster than `structuredClone`, and leaves the rest to that. */
export function copyPayload(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyPayload)
  // Cloning a view would clone the whole buffer that it was cut from.
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value)
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const own = copyPayload((value as Record<string, unknown>)[key])
    // Plain assignment of this key would change the prototype instead of adding a member.
    if (key === '__proto__')
      Object.defineProperty(copy, key, {
        value: own,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    else copy[key] = own
  }
  return copy
}
