/** How deeply JSON text is nested, found without recursion and before anything parses it. */

const QUOTE = 34
const BACKSLASH = 92

/**
 * Whether objects and arrays are nested at most `limit` deep. The text need not be valid JSON: of text that
 * `JSON.parse` accepts the answer is exact, of other text it does not matter.
 *
 * @param source - what `JSON.stringify` made the text of, where it is at hand: to walk it is faster than to read the text
 */
export function isWithinDepth(text: string, limit: number, source?: unknown): boolean {
  // Text with few brackets cannot nest deeply. Native search settles that for nearly every event.
  const objects = countUpTo(text, '{', limit)
  if (objects + countUpTo(text, '[', limit - objects) <= limit) return true
  return (source !== undefined && isPlainWithinDepth(source, limit)) || scan(text, limit)
}

/** Occurrences of a character; stops one beyond the limit. */
function countUpTo(text: string, char: string, limit: number): number {
  let count = 0
  for (let i = text.indexOf(char); i !== -1; i = text.indexOf(char, i + 1)) {
    if (++count > limit) break
  }
  return count
}

function scan(text: string, limit: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === BACKSLASH) i++
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) inString = true
    // `{` and `[` differ from each other, and from `}` and `]`, in one bit each.
    else if ((code | 32) === 123) {
      if (++depth > limit) return false
    } else if ((code | 32) === 125) depth--
  }
  return true
}

/** Whether a value that `JSON.parse` gave is nested at most `limit` deep. */
export function isParsedWithinDepth(value: unknown, limit: number): boolean {
  return typeof value !== 'object' || value === null || isParsed(value, limit)
}

/**
 * Whether `JSON.stringify` surely writes the value at most `limit` deep. `false` can also mean that it contains something
 * other than plain objects, arrays and what stands for itself, so that only the text shows it: see `isWithinDepth`.
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
