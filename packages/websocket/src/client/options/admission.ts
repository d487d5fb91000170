/** The port for admission control: what decides when an event may be sent, such as a rate limit. */
import type { Event } from '@bus/core'

/**
 * Decides when each event may be sent. `RateLimiter` of `@bus/rate-limit` is one. Only events need a permit: pings,
 * acknowledgements and what makes a link ready are never held up.
 */
export interface Admission {
  /** Whether some events go before others that were published first; the transport then promises no order. */
  readonly hasPriorities: boolean
  /**
   * A permit for an event that is published now. Several transports may share one admission.
   * @throws `RateLimitError` when the event may not even wait; its publish rejects with that
   */
  admit(event: Event): AdmissionPermit
}

/** The right to send one event. An event that is sent again after a broken link redeems its permit again. */
export interface AdmissionPermit {
  /** Among events that wait, the greater goes first. */
  readonly priority: number
  /** How much of the limit it takes, for the `rate-limit` event. */
  readonly cost: number
  /** Milliseconds after which it is expected to be redeemed; 0: at once. */
  readonly expectedMs: number
  /** `true`: the event may be sent now. Otherwise `ready` is called once when it may. */
  redeem(ready: () => void): boolean
  /** Another event goes first; it is redeemed again later. */
  yield(): void
  /** The event was sent. */
  spend(): void
  /** The event will not be sent, or was sent already. Called once the publish is settled. */
  cancel(): void
}
