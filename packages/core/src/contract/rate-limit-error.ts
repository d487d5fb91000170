/** The error of a rate limit: nothing was done, and when it could be. */
import { BusError, type BusErrorOptions } from './errors.ts'

/** Why a rate limit refused something. */
export type RateLimitReason =
  /** There are no tokens for it now, and it may not wait for them or would wait for ever. */
  | 'limited'
  /** As many as may wait for tokens do so already. */
  | 'queue-full'
  /** It costs more than there can ever be. */
  | 'too-expensive'
  /** What it costs, or how urgent it is, could not be told: `cause` says why. */
  | 'invalid-cost'

/** Refused by a rate limit; nothing was sent. */
export class RateLimitError extends BusError {
  readonly code = 'rate-limited'
  readonly category = 'transient'
  readonly reason: RateLimitReason
  /** Tokens; `NaN` where that could not be told. */
  readonly cost: number
  /** Milliseconds after which the same call can be expected to pass; `Infinity`: never. */
  readonly retryAfterMs: number

  constructor(
    message: string,
    how: {
      readonly reason: RateLimitReason
      readonly cost: number
      readonly retryAfterMs: number
    },
    options: BusErrorOptions = {},
  ) {
    const retryable = Number.isFinite(how.retryAfterMs)
    super(message, { outcome: 'not-sent', retryable, ...options })
    this.reason = how.reason
    this.cost = how.cost
    this.retryAfterMs = how.retryAfterMs
  }
}
