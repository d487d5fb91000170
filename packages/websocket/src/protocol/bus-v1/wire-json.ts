/** The JSON objects of `hello`, `welcome`, `auth` and `bye`: parsed within a depth, read member by member. */
import { MAX_JSON_DEPTH } from './limits.ts'

/** A JSON object of which only named members are read; nothing of it is ever merged into anything. */
export type WireRecord = Readonly<Record<string, unknown>>

const QUOTE = 34
const BACKSLASH = 92

/** The object that the text is; `undefined` when it is none, or nested too deeply. */
export function parseRecord(text: string): WireRecord | undefined {
  if (!isShallow(text, MAX_JSON_DEPTH)) return undefined
  try {
    return asRecord(JSON.parse(text))
  } catch {
    // Why a stranger's text is not JSON helps nobody; the caller names the line.
    return undefined
  }
}

/** The value as an object with members; `undefined` for arrays, `null` and everything else. */
export function asRecord(value: unknown): WireRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as WireRecord)
    : undefined
}

/** Whether objects and arrays of JSON text are nested at most `limit` deep, found without parsing. */
export function isShallow(text: string, limit: number): boolean {
  // Text with few brackets cannot nest deeply. Native search settles that for nearly every event.
  const objects = countUpTo(text, '{', limit)
  if (objects + countUpTo(text, '[', limit - objects) <= limit) return true
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

/** Occurrences of a character; stops one beyond the limit. */
function countUpTo(text: string, char: string, limit: number): number {
  let count = 0
  for (let i = text.indexOf(char); i !== -1; i = text.indexOf(char, i + 1)) {
    if (++count > limit) break
  }
  return count
}
