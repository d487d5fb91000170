/** How deeply JSON text is nested, found without recursion and before anything parses it. */

import { isPlainWithinDepth } from './value-depth.ts'

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
