/** The hub's first line: whether the session goes on, what of it is settled, and what was lost. */
import { isCode, isGapReason, type GapReason, type LineFault, type WireLimits } from './limits.ts'
import { isName, readWindow } from './hello.ts'
import { isWireNumber, asRecord, parseRecord } from './fields.ts'

/** Events that match and were lost for this session: those with `from` ≤ offset ≤ `to`. */
export interface WireGap {
  /** With `epoch` both ends are the first offset of the old log that was not settled: how far it went nobody knows. */
  readonly from: number
  readonly to: number
  readonly why: GapReason
}

/** The hub's answer to one subscription of `hello`: where it begins, or why there is none. */
export type SubscriptionVerdict =
  | { readonly id: number; readonly offset: number }
  | { readonly id: number; readonly code: string }

/** What a hub says first. */
export interface Welcome {
  readonly sid: string
  /** The session goes on: numbers continue, `last` counts. */
  readonly resumed: boolean
  /** Everything published up to this number is settled, apart from what `refused` names. */
  readonly last: number
  /** Numbers up to `last` that were refused; the answer may have been lost with the link. */
  readonly refused: readonly (readonly [n: number, code: string])[]
  /** The identity of the log that offsets belong to. */
  readonly epoch: string
  /** The offset of the newest event. */
  readonly head: number
  readonly limits: WireLimits
  /** Milliseconds between the hub's pings. */
  readonly heartbeatMs: number
  readonly subs: readonly SubscriptionVerdict[]
  readonly gaps: readonly WireGap[]
}

/** The line that says it. */
export function welcomeLine(welcome: Welcome): string {
  return `welcome ${JSON.stringify(welcome)}`
}

/** Reads the JSON of a `welcome` line. Unknown members are ignored. */
export function readWelcome(json: string): Welcome | LineFault {
  const wire = parseRecord(json)
  if (wire === undefined) return 'json'
  const { sid, resumed, last, epoch, head, heartbeatMs } = wire
  const limits = readLimits(wire['limits'])
  const subs = readList(wire['subs'], readVerdict)
  const gaps = readList(wire['gaps'], readGap)
  const refused = readList(wire['refused'] ?? [], readRefusal)
  if (
    !isName(sid) ||
    typeof resumed !== 'boolean' ||
    !isWireNumber(last) ||
    !isName(epoch) ||
    !isWireNumber(head) ||
    !isWireNumber(heartbeatMs) ||
    limits === undefined ||
    subs === undefined ||
    gaps === undefined ||
    refused === undefined
  ) {
    return 'shape'
  }
  return { sid, resumed, last, refused, epoch, head, limits, heartbeatMs, subs, gaps }
}

function readLimits(value: unknown): WireLimits | undefined {
  const wire = asRecord(value)
  if (wire === undefined) return undefined
  const { maxEventBytes, maxLineBytes, ackMs, okMs } = wire
  const window = readWindow(wire['window'])
  if (!isWireNumber(maxEventBytes) || !isWireNumber(maxLineBytes) || !isWireNumber(ackMs)) {
    return undefined
  }
  if (window === undefined || !(okMs === undefined || isWireNumber(okMs))) return undefined
  const limits = { maxEventBytes, maxLineBytes, window, ackMs }
  return okMs === undefined ? limits : { ...limits, okMs }
}

function readList<T>(value: unknown, read: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined
  const items: T[] = []
  for (const item of value) {
    const found = read(item)
    if (found === undefined) return undefined
    items.push(found)
  }
  return items
}

function readVerdict(value: unknown): SubscriptionVerdict | undefined {
  const wire = asRecord(value)
  if (wire === undefined) return undefined
  const { id, offset, code } = wire
  if (!isWireNumber(id)) return undefined
  if (isWireNumber(offset)) return { id, offset }
  return isCode(code) ? { id, code } : undefined
}

function readGap(value: unknown): WireGap | undefined {
  const wire = asRecord(value)
  if (wire === undefined) return undefined
  const { from, to, why } = wire
  if (!isWireNumber(from) || !isWireNumber(to) || from > to || !isGapReason(why)) return undefined
  return { from, to, why }
}

function readRefusal(value: unknown): readonly [number, string] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined
  const [n, code] = value as readonly unknown[]
  return isWireNumber(n) && isCode(code) ? [n, code] : undefined
}
