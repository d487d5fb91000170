/** The limits of `bus.v1`: what both sides hold to, and what the hub announces in its welcome. */

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
