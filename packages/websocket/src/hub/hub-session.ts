/** A session as an operator sees it: who it is, since when, and how far behind. */

/** One client of a hub: a session of `bus.v1`, with a connection or between two, or a connection of the plain wire. */
export interface HubSession {
  /** The `id` of its principal: what `hub.revoke` takes. */
  readonly principal: string
  readonly wire: 'bus.v1' | 'plain'
  readonly isConnected: boolean
  /** The address that its connection comes from, which may be that of a proxy; `undefined` without a connection. */
  readonly address: string | undefined
  /** When its connection was made, or lost where there is none: milliseconds since 1970. */
  readonly since: number
  /** 0 on the plain wire, whose clients get everything. */
  readonly subscriptions: number
  /** Events that were sent to it and that it has not acknowledged. */
  readonly unacknowledged: number
  /** Offsets of the log between what it has and the newest event, those of other types included. */
  readonly behind: number
  /** It made no progress for `holdMs`, so that neither the log nor a publisher waits for it. */
  readonly isGivenUp: boolean
}
