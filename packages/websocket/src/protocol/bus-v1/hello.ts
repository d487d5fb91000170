/** The first line of a client: who it was, where it stopped, and everything that it wants. */
import { isPattern } from '@bus/core'
import {
  MAX_NAME_LENGTH,
  MAX_TOKEN_LENGTH,
  VERSION,
  type LineFault,
  type Window,
} from './limits.ts'
import { isWireNumber, asRecord, parseRecord } from './fields.ts'

/** How a subscription is delivered: `amo` at most once, `alo` at least once. */
export type WireMode = 'amo' | 'alo'

/** One subscription as it is asked for. */
export interface WireSubscription {
  /** Chosen by the client, unique for the session's life. */
  readonly id: number
  readonly pattern: string
  readonly mode: WireMode
  /** The offset behind which it begins. Absent: where the session is, or now. */
  readonly from?: number
}

/** What a client says first. */
export interface Hello {
  readonly v: typeof VERSION
  /** The session to go on with. */
  readonly sid?: string
  /** The log that `offset` and `from` belong to. */
  readonly epoch?: string
  /** Everything up to it is settled. */
  readonly offset?: number
  readonly subs: readonly WireSubscription[]
  readonly token?: string
  /** How much the client takes without having acknowledged it. Absent: as much as the hub allows. */
  readonly window?: Window
  /** The largest message in bytes that the client takes. Absent: any. */
  readonly maxMessageBytes?: number
  /** Counts the links of the client. A session does not go back to one that is not newer than that which it had last. */
  readonly link?: number
}

/** The line that says it. */
export function helloLine(hello: Hello): string {
  return `hello ${JSON.stringify(hello)}`
}

/** Reads the JSON of a `hello` line. Unknown members are ignored. */
export function readHello(json: string): Hello | LineFault {
  const wire = parseRecord(json)
  if (wire === undefined) return 'json'
  if (wire['v'] !== VERSION) return 'version'
  const subs = readSubscriptions(wire['subs'])
  const { sid, epoch, offset, token, maxMessageBytes, link } = wire
  const window = wire['window'] === undefined ? undefined : readWindow(wire['window'])
  if (
    subs === undefined ||
    (sid !== undefined && !isName(sid)) ||
    (epoch !== undefined && !isName(epoch)) ||
    (offset !== undefined && !isWireNumber(offset)) ||
    (token !== undefined && !isToken(token)) ||
    (wire['window'] !== undefined && window === undefined) ||
    (maxMessageBytes !== undefined && !isCount(maxMessageBytes)) ||
    (link !== undefined && !isCount(link))
  ) {
    return 'shape'
  }
  return {
    v: VERSION,
    subs,
    ...(sid === undefined ? {} : { sid }),
    ...(epoch === undefined ? {} : { epoch }),
    ...(offset === undefined ? {} : { offset }),
    ...(token === undefined ? {} : { token }),
    ...(window === undefined ? {} : { window }),
    ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    ...(link === undefined ? {} : { link }),
  }
}

function isCount(value: unknown): value is number {
  return isWireNumber(value) && value > 0
}

/** Whether the value can name a session or an epoch: letters, digits, `_` and `-`, as base64url has them. */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length <= MAX_NAME_LENGTH && /^[A-Za-z0-9_-]+$/.test(value)
  )
}

/** Whether the value can be a token: text of reasonable length. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TOKEN_LENGTH
}

/** Whether the text is a mode. */
export function isMode(value: unknown): value is WireMode {
  return value === 'amo' || value === 'alo'
}

/** The window that the value is; `undefined` when it is none. */
export function readWindow(value: unknown): Window | undefined {
  const window = asRecord(value)
  if (window === undefined) return undefined
  const { events, bytes } = window
  return isWireNumber(events) && isWireNumber(bytes) && events > 0 && bytes > 0
    ? { events, bytes }
    : undefined
}

function readSubscriptions(value: unknown): WireSubscription[] | undefined {
  if (!Array.isArray(value)) return undefined
  const subs: WireSubscription[] = []
  const ids = new Set<number>()
  for (const item of value) {
    const sub = readSubscription(item)
    if (sub === undefined || ids.has(sub.id)) return undefined
    ids.add(sub.id)
    subs.push(sub)
  }
  return subs
}

function readSubscription(value: unknown): WireSubscription | undefined {
  const wire = asRecord(value)
  if (wire === undefined) return undefined
  const { id, pattern, mode, from } = wire
  if (!isWireNumber(id) || !isPattern(pattern) || !isMode(mode)) return undefined
  if (from === undefined) return { id, pattern, mode }
  return isWireNumber(from) ? { id, pattern, mode, from } : undefined
}
