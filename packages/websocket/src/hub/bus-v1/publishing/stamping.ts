/** Stamping: writes into an event's body who published it, without touching its payload. */

/** Positions of one value in a text. */
interface Span {
  readonly from: number
  readonly to: number
}

const BLANK = /[ \t\r\n]/
/** What ends a number, `true`, `false` or `null`. */
const AFTER_WORD = /[,}\] \t\r\n]/

/**
 * The body with the payload as it was, character by character, and the metadata with this source. Other members of the body
 * are left out, so that no reader finds another source than ours.
 *
 * @returns `undefined` when it is no body of an event
 */
export function stampSource(body: string, source: string): string | undefined {
  const members = readMembers(body)
  const payload = members?.get('payload')
  const metadata = members?.get('metadata')
  if (payload === undefined || metadata === undefined) return undefined
  const stamped = stamp(body.slice(metadata.from, metadata.to), source)
  if (stamped === undefined) return undefined
  return `{"payload":${body.slice(payload.from, payload.to)},"metadata":${stamped}}`
}

function stamp(metadata: string, source: string): string | undefined {
  const known = parse(metadata)
  if (typeof known !== 'object' || known === null || Array.isArray(known)) return undefined
  try {
    return JSON.stringify({ ...known, source })
  } catch {
    // What is nested deep enough can be read, and not be written.
    return undefined
  }
}

/** The members of the outermost object; of two with one name the last counts, as in `JSON.parse`. */
function readMembers(text: string): Map<unknown, Span> | undefined {
  const members = new Map<unknown, Span>()
  let at = skipBlanks(text, 0)
  if (text[at] !== '{') return undefined
  do {
    const nameFrom = skipBlanks(text, at + 1)
    const nameTo = endOfValue(text, nameFrom)
    const colon = skipBlanks(text, nameTo)
    const from = skipBlanks(text, colon + 1)
    const to = endOfValue(text, from)
    if (text[nameFrom] !== '"' || text[colon] !== ':' || to <= from) return undefined
    members.set(parse(text.slice(nameFrom, nameTo)), { from, to })
    at = skipBlanks(text, to)
  } while (text[at] === ',')
  const isWhole = text[at] === '}' && skipBlanks(text, at + 1) === text.length
  return isWhole ? members : undefined
}

/** Behind the value that begins at `from`; not before `from` is in the text, and never an error. */
function endOfValue(text: string, from: number): number {
  const first = text[from]
  if (first === '"') return endOfString(text, from)
  let at = from
  if (first !== '{' && first !== '[') {
    while (at < text.length && !AFTER_WORD.test(text[at] ?? '')) at++
    return at
  }
  let depth = 0
  while (at < text.length) {
    const char = text[at]
    if (char === '"') {
      at = endOfString(text, at)
      continue
    }
    if (char === '{' || char === '[') depth++
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1
    at++
  }
  return from
}

/** Behind the closing quote; the end of the text where there is none. */
function endOfString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return Math.min(at + 1, text.length)
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && BLANK.test(text[at] ?? '')) at++
  return at
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
