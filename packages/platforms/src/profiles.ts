/** Profiles: options that fit a kind of deployment, as plain data to put own options over. */
import { backoff } from '@bus/core'
import type { ClientConfig } from '@bus/websocket'

/** Options for kinds of deployment. */
export interface Profiles {
  /**
   * Prices and orders: rather an error now than an order that is sent late.
   *
   * - `whenDisconnected: 'reject'` and `queue.strategy: 'reject'`: an order must not wait for a link or for room.
   * - `maxAttempts: 1`: what a broken link may have taken is not sent again behind the caller's back.
   * - `heartbeat` every 5 s with 2 s for the answer: a dead link is found within 7 s instead of 35 s.
   * - `reconnect.backoff` from 50 ms to 5 s: a missed second costs more than a dial.
   * - `timeouts` of 5 s: the same.
   * - `queue.capacity` of 10,000: bursts of a market are no reason to refuse.
   */
  readonly financial: ClientConfig
  /** Everything else: the defaults of each option, which is what holds without a profile. */
  readonly standard: ClientConfig
  /**
   * Sensors, scripts, many small clients on one machine: little memory, few packets.
   *
   * - `queue` of 100 events and 1 MiB, oldest dropped: the newest reading is the one that counts.
   * - `maxMessageBytes` and `highWaterMarkBytes` of 64 KiB: what one client can hold in memory stays small.
   * - `heartbeat` every 55 s, below the minute after which proxies cut a quiet link; two may be missed on a poor network.
   * - `reconnect.backoff` from 1 s to 2 min: thousands of clients must not come back at once. A hub needs `sessionTtlMs` of 4 min for it.
   */
  readonly lightweight: ClientConfig
  /**
   * Chat and notifications: what somebody wrote is kept and sent, however long the tunnel is.
   *
   * - `whenDisconnected: 'queue'` and `queue.strategy: 'block'`: nothing is dropped, and whoever writes too much waits.
   * - `queue.capacity` of 5,000: hours of writing without a link.
   * - `maxAttempts: 20`: a message survives more broken links than the default 5, as phones have them.
   * - `heartbeat` every 20 s: the routers of mobile networks forget a quiet link after 30 s.
   * - `reconnect.backoff` from 250 ms to 15 s: a person is waiting, and people do not all lose their link at once.
   */
  readonly messaging: ClientConfig
}

/** Freezes what is nested too: a profile is shared by everybody. */
function profile(config: ClientConfig): ClientConfig {
  for (const value of Object.values(config)) {
    if (typeof value === 'object') Object.freeze(value)
  }
  return Object.freeze(config)
}

const financial: ClientConfig = profile({
  whenDisconnected: 'reject',
  maxAttempts: 1,
  heartbeat: { intervalMs: 5_000, timeoutMs: 2_000, maxMissed: 1 },
  reconnect: { backoff: backoff.exponential({ initialMs: 50, maxMs: 5_000, jitter: 'full' }) },
  breaker: { failureThreshold: 10, successThreshold: 1 },
  timeouts: { connectMs: 5_000, bootstrapMs: 5_000, closeMs: 1_000 },
  queue: { capacity: 10_000, strategy: 'reject' },
})

const standard: ClientConfig = profile({})

const lightweight: ClientConfig = profile({
  heartbeat: { intervalMs: 55_000, timeoutMs: 20_000, maxMissed: 2 },
  reconnect: { backoff: backoff.exponential({ initialMs: 1_000, maxMs: 120_000, jitter: 'full' }) },
  queue: { capacity: 100, maxBytes: 1_048_576, strategy: 'drop-oldest' },
  highWaterMarkBytes: 65_536,
  maxMessageBytes: 65_536,
})

const messaging: ClientConfig = profile({
  whenDisconnected: 'queue',
  maxAttempts: 20,
  heartbeat: { intervalMs: 20_000, timeoutMs: 8_000, maxMissed: 1 },
  reconnect: { backoff: backoff.exponential({ initialMs: 250, maxMs: 15_000, jitter: 'full' }) },
  queue: { capacity: 5_000, strategy: 'block' },
})

/** Options for kinds of deployment; put your own over them with `mergeConfig` of `@bus/websocket`. */
export const profiles: Profiles = Object.freeze({ financial, standard, lightweight, messaging })
