/** How deeply a value is nested, found by walking it no further than allowed. */

/** Whether a value that `JSON.parse` gave is nested at most `limit` deep. */
export function isParsedWithinDepth(value: unknown, limit: number): boolean {
  return typeof value !== 'object' || value === null || isParsed(value, limit)
}

/**
 * Whether `JSON.stringify` surely writes the value at most `limit` deep. `false` can also mean that it holds something
 * other than plain objects, arrays and what stands for itself, so that only the text can tell: see `isWithinDepth`.
 */
export function isPlainWithinDepth(value: unknown, limit: number): boolean {
  if (typeof value !== 'object') return typeof value !== 'function'
  return value === null || isPlain(value, limit)
}

// Both look at what a child is before they call themselves: most children are no objects, and calls cost most.

function isParsed(value: object, limit: number): boolean {
  if (limit < 1) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const child: unknown = value[i]
      if (typeof child === 'object' && child !== null && !isParsed(child, limit - 1)) return false
    }
    return true
  }
  for (const key in value) {
    const child = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof child === 'object' && child !== null && !isParsed(child, limit - 1)) return false
  }
  return true
}

function isPlain(value: object, limit: number): boolean {
  if (limit < 1) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isPlainChild(value[i], limit)) return false
    return true
  }
  // The prototype, not `toJSON`: to look for what is not there costs ten times as much.
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value instanceof Date
  for (const key in value) {
    const child = (value as Readonly<Record<string, unknown>>)[key]
    if (typeof child === 'object') {
      if (child !== null && !isPlain(child, limit - 1)) return false
    } else if (typeof child === 'function') return false
  }
  return true
}

function isPlainChild(child: unknown, limit: number): boolean {
  if (typeof child === 'object') return child === null || isPlain(child, limit - 1)
  return typeof child !== 'function'
}
