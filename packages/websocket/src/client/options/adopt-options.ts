/** The options of `WebSocketTransport.adopt`. */
import { checkOptions, durationMs } from '@bus/core'

/** How a connection is taken over. */
export interface AdoptOptions {
  /**
   * Milliseconds for subscribing to what the last owner was subscribed to, with the same patterns. What is not claimed
   * by then is unsubscribed, and the events that came for it are told as `undeliverable`. @default 10_000
   */
  readonly claimWithinMs?: number
}

/** @throws `ConfigError` */
export function claimTimeOf(options: AdoptOptions): number {
  checkOptions<AdoptOptions>('', options, { claimWithinMs: durationMs({ min: 0 }) })
  return options.claimWithinMs ?? 10_000
}
