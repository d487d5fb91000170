/** The state of the link that faults change while connections live. */

/** How the server treats its open connections right now. */
export interface LinkConditions {
  /** Pings are left without an answer. */
  withholdPongs: boolean
  /** Sockets are not read. */
  stalled: boolean
  /** How long each send is held back, in milliseconds. */
  delayMs: number
}

/** The link of a server without faults. */
export function healthyLink(): LinkConditions {
  return { withholdPongs: false, stalled: false, delayMs: 0 }
}
