/** How rows are written: a handshake, frames or lines, and what must come of them. */
import { text } from '../raw/frame.ts'
import { handshake, hello, type HandshakeParts } from '../raw/handshake.ts'
import type { Fence, Moved, Row, Step } from './row.ts'

/** What differs from a row of its kind. */
export interface RowParts {
  /** @default 'open' */
  readonly hub?: string
  /** Events that enter the log. @default 0 */
  readonly events?: number
  /** More figures that move. */
  readonly moved?: Moved
  readonly fence?: Fence
  /** See `Row.orElse`. */
  readonly orElse?: readonly string[]
  /** More members of the first line. */
  readonly hello?: Readonly<Record<string, unknown>>
}

/** No one can publish or subscribe in its name by accident. */
export const CANARY = 'canary-3f9a1c77e0b24d58'

/** The figures that follow from what is said. */
function movedBy(want: string, { events = 0, moved = {} }: RowParts): Moved {
  const figures: Record<string, number> = {}
  if (events > 0) figures['published'] = events
  if (/close (1002|1007|1008|1009)/.test(want)) figures['badFrames'] = 1
  if (/close (1003|4400|4409)/.test(want)) figures['protocolErrors'] = 1
  if (/close 4401 unauthorized|HTTP 401/.test(want)) figures['unauthorized'] = 1
  const refused = want.match(/(?<![a-z])no \d+ /g)?.length ?? 0
  if (refused > 0) figures['refused'] = refused
  return { ...figures, ...moved }
}

/** A row of any steps. */
export function row(name: string, steps: readonly Step[], want: string, parts: RowParts = {}): Row {
  const isIn = /^HTTP 101 \S+$/.test(want)
  const { hub = 'open', fence = isIn ? 'answer' : 'over', orElse = [] } = parts
  return { name, hub, steps, fence, want, orElse, moved: movedBy(want, parts) }
}

/** What a refusal in HTTP looks like: the status, and then nothing more. */
export const refused = (status: number): string => `HTTP ${status} | end`

/** Bytes in place of a handshake. */
export function request(
  name: string,
  say: string | Uint8Array,
  want: string,
  parts?: RowParts,
): Row {
  return row(name, [{ say }], want, parts)
}

/** A handshake that differs. */
export function greeting(
  name: string,
  handshakeParts: HandshakeParts,
  want: string,
  parts?: RowParts,
): Row {
  return request(name, handshake(handshakeParts), want, parts)
}

/** Welcomed, with these members in its first line. */
export function welcomed(members: Readonly<Record<string, unknown>> = {}): Step[] {
  return [
    { say: handshake() },
    { hear: 'HTTP 101' },
    { say: text(hello(members)) },
    { hear: 'welcome' },
  ]
}

/** Messages behind the welcome. */
export function lines(
  name: string,
  messages: string | readonly string[],
  want: string,
  parts: RowParts = {},
): Row {
  const all = typeof messages === 'string' ? [messages] : messages
  const steps = [...welcomed(parts.hello), ...all.map((message) => ({ say: text(message) }))]
  return row(name, steps, want, { fence: 'line', ...parts })
}

/** Frames behind the welcome, as they are. */
export function frames(
  name: string,
  bytes: Uint8Array | readonly Uint8Array[],
  want: string,
  parts: RowParts = {},
): Row {
  const all = bytes instanceof Uint8Array ? [bytes] : bytes
  const steps = [...welcomed(parts.hello), ...all.map((say) => ({ say }))]
  return row(name, steps, want, { fence: 'line', ...parts })
}

/** A first line, before any welcome. */
export function firstLine(name: string, line: string, want: string, parts: RowParts = {}): Row {
  const steps: Step[] = [{ say: handshake() }, { hear: 'HTTP 101' }, { say: text(line) }]
  return row(name, steps, want, { fence: 'answer', ...parts })
}

/** A body as events have it. */
export const BODY = '{"payload":1,"metadata":{"timestamp":1}}'
