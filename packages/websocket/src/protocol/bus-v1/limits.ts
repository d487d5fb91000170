/** The limits of `bus.v1`: what both sides hold to, and what the hub announces in its welcome. */

import type { ProtocolCapabilities } from '../protocol.ts'

/** The subprotocol that client and hub agree on in the handshake. */
export const SUBPROTOCOL = 'bus.v1'

/**
 * A header of the hub's 101 answer, with the subprotocol as its value. Many servers answer with the first subprotocol
 * that they are offered, whatever it is; only a hub says this too.
 */
export const HUB_HEADER = 'bus-protocol'

/** The version that `hello` names. */
export const VERSION = 1

/** How much may be under way without an acknowledgement. */
export interface Window {
  readonly events: number
  readonly bytes: number
}

/** What the hub announces in its welcome. */
export interface WireLimits {
  /** The largest line of one event in bytes; a larger one is refused with code `size`. */
  readonly maxEventBytes: number
  /** The largest message in bytes; a larger one ends the link with 1009. */
  readonly maxLineBytes: number
  /** How much may wait for an acknowledgement, in either direction. */
  readonly window: Window
  /** The longest that a subscriber waits before it acknowledges, in milliseconds. */
  readonly ackMs: number
  /**
   * While something waits for its confirmation the hub says `ok` at least this often, in milliseconds, also when there is
   * nothing new to say. Absent: it promises no such thing.
   */
  readonly okMs?: number
}

/** The limits that hold where nobody sets others. */
export const wireDefaults: Readonly<Required<WireLimits>> = Object.freeze({
  maxEventBytes: 262_144,
  maxLineBytes: 1_048_576,
  window: Object.freeze({ events: 16_384, bytes: 8_388_608 }),
  ackMs: 10,
  okMs: 2_000,
})

/** The deepest nesting of the JSON of `hello`, `welcome`, `auth` and `bye`. */
export const MAX_JSON_DEPTH = 8

/** The deepest nesting of an event's body, its envelope included: deep JSON parses, and then kills whoever walks it. */
export const MAX_BODY_DEPTH = 64

/** Characters of a session id, an epoch or a code. */
export const MAX_NAME_LENGTH = 64

/** Characters of a token. */
export const MAX_TOKEN_LENGTH = 16_384

/** Why the hub refused an event: its number is used up, and it was relayed to nobody. */
export type RefusalCode =
  /** Larger than the hub takes. */
  | 'size'
  /** Not a type of the grammar. */
  | 'type'
  /** The publisher may not publish this type. */
  | 'auth'
  /** More than the publisher may send in a second. */
  | 'rate'
  /** It cannot be relayed. */
  | 'poison'

/** Why the hub refused a subscription. */
export type SubscriptionRefusal =
  /** Not a pattern of the grammar, or one with too many wildcards. */
  | 'pattern'
  /** Wider than what the subscriber may read. */
  | 'auth'
  /** One more than a connection, or the hub, takes. */
  | 'limit'

/** Why events are missing. */
export type GapReason =
  /** The hub started anew and its log is another one. */
  | 'epoch'
  /** The subscriber was away for longer than the log reaches back. */
  | 'overrun'
  /** The subscriber was connected and too slow. */
  | 'slow'
  /** The line of one is larger than the messages that the subscriber takes. */
  | 'size'

/** What of a line broke the grammar; it stands behind the verb in the reason of close code 4400. */
export type LineFault =
  | 'verb'
  | 'empty'
  | 'first'
  | 'early'
  | 'again'
  | 'fields'
  | 'n'
  | 'id'
  | 'type'
  | 'pattern'
  | 'mode'
  | 'offset'
  | 'code'
  | 'why'
  | 'body'
  | 'json'
  | 'shape'
  | 'version'
  | 'size'

/** The refusals of events that exist. */
export const REFUSAL_CODES: readonly RefusalCode[] = Object.freeze([
  'size',
  'type',
  'auth',
  'rate',
  'poison',
])

/** The reasons for missing events that exist. */
export const GAP_REASONS: readonly GapReason[] = Object.freeze(['epoch', 'overrun', 'slow', 'size'])

/** Whether the text is a known reason for missing events. */
export function isGapReason(text: unknown): text is GapReason {
  return (GAP_REASONS as readonly unknown[]).includes(text)
}

/** Whether the text could be a code, of this version or a later one: lower-case words with hyphens. */
export function isCode(text: unknown): text is string {
  return typeof text === 'string' && /^[a-z][a-z-]{0,31}$/.test(text)
}

/** The promises of a session with acknowledgements, over any hub that speaks `bus.v1`. */
export const busV1Capabilities: ProtocolCapabilities = Object.freeze({
  delivery: 'at-least-once',
  ordering: 'per-publisher',
  wildcards: true,
  publishConfirm: true,
  resume: true,
  gaps: true,
  dedupe: true,
  echo: true,
  binary: false,
})
