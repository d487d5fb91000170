/** What a transport promises, as data. A call beyond it rejects with `UnsupportedError`. */

/** The promises of a transport. Frozen, and the same after a JSON round trip. */
export interface Capabilities {
  /** How often an event can reach a handler when links break: at most once, or at least once. */
  readonly delivery: 'at-most-once' | 'at-least-once'
  /** Which events keep their order. */
  readonly ordering: 'none' | 'per-publisher' | 'total'
  /** Patterns with `*` and `>`; otherwise only exact types. */
  readonly wildcards: boolean
  /** `publish` resolves only after the medium has taken the event over. */
  readonly publishConfirm: boolean
  /** Events missed during a break are delivered after it. */
  readonly resume: boolean
  /** A hole in the stream is reported to the application, before later events. */
  readonly gaps: boolean
  /**
   * What is sent again, because a link broke or another way was taken, is delivered once. An id that is published twice on
   * purpose may pass.
   */
  readonly dedupe: boolean
  /** An event that a client publishes also reaches its own subscriptions. */
  readonly echo: boolean
  /** What slows down a sender when the reader is slow. */
  readonly backpressure: {
    readonly inbound: 'credits' | 'pause' | 'none'
    readonly outbound: 'block' | 'none'
  }
  /** Payloads of type `Uint8Array` arrive as such. */
  readonly binary: boolean
  /** The largest event on the wire, in bytes. */
  readonly maxPayload: number
  /** The link is made again after a loss, with its subscriptions. */
  readonly reconnect: boolean
}
