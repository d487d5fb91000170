/** One entry of a recording, and the line of JSON that it is written as. */
import { formatTimestamp, parseTimestamp } from '@bus/core/kit'
import { RecordingError, type RecordingProblem } from './recording-error.ts'

interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number
  /** `in`: it came. `out`: it was sent. */
  readonly direction: 'in' | 'out'
}

/** Something that went over a connection, or the beginning of one. */
export type RecordingEntry = Moment &
  (
    | { readonly kind: 'text'; readonly data: string }
    | { readonly kind: 'binary' | 'ping' | 'pong'; readonly data: Uint8Array }
    /** The end of a connection: a close frame, or code 1006 where the link broke without one. */
    | { readonly kind: 'close'; readonly code: number; readonly reason: string }
    /** A connection was made; the URL is without secrets. */
    | { readonly kind: 'open'; readonly url: string; readonly protocol: string }
  )

/**
 * The line of an entry, without a line break.
 *
 * Text, binary and close lines are those of ZenWebsocket's recordings, so each can read the other's.
 *
 * @example
 * ```ts
 * import { formatEntry } from '@bus/recording'
 *
 * formatEntry({ at: 0, direction: 'in', kind: 'text', data: 'hello' })
 * // {"ts":"1970-01-01T00:00:00.000Z","dir":"in","type":"text","data":"hello"}
 * ```
 */
export function formatEntry(entry: RecordingEntry): string {
  const head = { ts: formatTimestamp(entry.at), dir: entry.direction, type: entry.kind }
  switch (entry.kind) {
    case 'text':
      return JSON.stringify({ ...head, data: entry.data })
    case 'close':
      return JSON.stringify({ ...head, data: nested({ code: entry.code, reason: entry.reason }) })
    case 'open':
      return JSON.stringify({ ...head, data: nested({ url: entry.url, protocol: entry.protocol }) })
    case 'binary':
    case 'ping':
    case 'pong':
      return JSON.stringify({ ...head, data: toBase64(entry.data), binary: true })
  }
}

/**
 * The entry of a line. Bytes that are not base64 are taken as they stand.
 *
 * @throws `RecordingError` whose `problem` names the part that is wrong.
 */
export function parseEntry(line: string): RecordingEntry {
  const raw = parseObject(line, 'json', 'The line is not a JSON object')
  const at = typeof raw['ts'] === 'string' ? parseTimestamp(raw['ts']) : undefined
  if (at === undefined) throw new RecordingError('time', 'Expected `ts` to be an RFC 3339 time')
  const direction = raw['dir']
  if (direction !== 'in' && direction !== 'out') {
    throw new RecordingError('direction', 'Expected `dir` to be "in" or "out"')
  }
  const { type: kind, data } = raw
  if (typeof kind !== 'string' || !isKind(kind)) {
    throw new RecordingError('type', `Expected \`type\` to be one of ${KINDS.join(', ')}`)
  }
  if (typeof data !== 'string') {
    throw new RecordingError('data', 'Expected `data` to be a string')
  }
  return { at, direction, ...contentOf(kind, data) }
}

type Content = RecordingEntry extends infer E
  ? E extends Moment
    ? Omit<E, keyof Moment>
    : never
  : never
type Kind = RecordingEntry['kind']

const KINDS: readonly Kind[] = ['text', 'binary', 'ping', 'pong', 'close', 'open']

function isKind(text: string): text is Kind {
  return (KINDS as readonly string[]).includes(text)
}

function contentOf(kind: Kind, data: string): Content {
  if (kind === 'text') return { kind, data }
  if (kind !== 'close' && kind !== 'open') return { kind, data: fromBase64(data) }
  const inner = parseObject(data, 'data', `The data of \`${kind}\` is not a JSON object`)
  if (kind === 'open') {
    return { kind, url: textOf(inner, 'url'), protocol: textOf(inner, 'protocol') }
  }
  const { code } = inner
  if (!Number.isInteger(code)) throw new RecordingError('data', 'Expected `code` to be an integer')
  return { kind, code: code as number, reason: textOf(inner, 'reason') }
}

function textOf(record: Readonly<Record<string, unknown>>, name: string): string {
  const value = record[name] ?? ''
  if (typeof value === 'string') return value
  throw new RecordingError('data', `Expected \`${name}\` to be a string`)
}

function parseObject(
  text: string,
  problem: RecordingProblem,
  message: string,
): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new RecordingError(problem, message, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RecordingError(problem, message)
  }
  return value as Readonly<Record<string, unknown>>
}

function nested(value: object): string {
  return JSON.stringify(value)
}

function toBase64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
}

const BASE_64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, BASE_64.test(text) ? 'base64' : 'utf8'))
}
