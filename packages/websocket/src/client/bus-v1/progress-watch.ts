/** Watches the progress of a session, which ends a link whose hub confirms nothing, and renews its token. */

import { HeartbeatTimeoutError, AuthError, BootstrapError, BusError, type Clock } from '@bus/core'
import { setLongTimeout } from '@bus/core/kit'
import { afterReading } from '../../socket/after-reading.ts'
import { LATE_SHARE } from '../../socket/heartbeat.ts'
import type { WireLimits } from '../../protocol/bus-v1/limits.ts'
import { authLine } from '../../protocol/bus-v1/lines.ts'
import { isToken } from '../../protocol/bus-v1/hello.ts'
import {
  askToken,
  renewalDelayMs,
  retryDelayMs,
  type AuthContext,
  type SessionCredentials,
} from '../../protocol/credentials.ts'
import type { ProtocolLink } from '../../protocol/protocol.ts'

export interface ProgressPorts {
  readonly clock: Clock
  /** Milliseconds without an `ok` or `no` of the hub while events wait for one. `Infinity`: no limit. */
  readonly limitMs: number
  readonly publisher: {
    /** Events that wait for their confirmation. */
    readonly waiting: number
    /** When the hub last confirmed or refused something, or the first of the waiting events was sent. */
    readonly lastProgressAt: number
  }
  /** Settles when a ping that is sent now was answered, or was not within so many milliseconds. Never rejects. */
  probe(timeoutMs: number): Promise<unknown>
  /** The hub confirms nothing: the link must end. */
  stalled(error: HeartbeatTimeoutError): void
}

/** How many of the promised `ok` lines may be missing. */
const MISSING_LINES = 2

/**
 * A hub that cannot confirm yet, because a subscriber is slow, sends `ok` again and again all the same. So silence means
 * that it does not get what we publish, or cannot go on. Only a hub that has promised these lines in its welcome is watched.
 *
 * A line may be under way behind many events, on a slow link. So the verdict waits for the answer to a ping, which comes
 * behind that line, though no longer than the limit once more.
 *
 * One timer runs from the welcome to the end of the link, so that publishing starts none.
 */
export class ProgressWatch {
  readonly #ports: ProgressPorts
  #limitMs = Infinity
  /** From when on the silence is counted, if nothing was heard since. */
  #startedAt = 0
  #stopTimer: (() => void) | undefined
  /** Grows at each stop, which makes a verdict that was deferred before it void. */
  #run = 0
  /** When a late timer was excused last. */
  #excusedAt = -Infinity

  constructor(ports: ProgressPorts) {
    this.#ports = ports
  }

  /** A hub has sent its welcome. */
  begin({ okMs }: Pick<WireLimits, 'okMs'>): void {
    this.stop()
    if (okMs === undefined || this.#ports.limitMs === Infinity) return
    this.#limitMs = Math.max(this.#ports.limitMs, MISSING_LINES * okMs)
    this.#startedAt = this.#ports.clock.now()
    this.#excusedAt = -Infinity
    this.#arm(this.#limitMs)
  }

  /** The link is gone. No timer stays. */
  stop(): void {
    this.#run++
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  #arm(ms: number): void {
    const { clock } = this.#ports
    const due = clock.now() + ms
    this.#stopTimer = setLongTimeout(clock, ms, () => {
      this.#stopTimer = undefined
      this.#onTimer(clock.now() - due)
    })
  }

  #onTimer(lateMs: number): void {
    const { publisher, clock } = this.#ports
    const leftMs = this.#quietSince + this.#limitMs - clock.now()
    if (publisher.waiting === 0) this.#arm(this.#limitMs)
    else if (leftMs > 0) this.#arm(leftMs)
    else if (lateMs > this.#limitMs * LATE_SHARE && this.#excusedAt < publisher.lastProgressAt) {
      // Our own event loop stood still, and what the hub has sent may not have been read yet.
      this.#excusedAt = clock.now()
      this.#arm(this.#limitMs)
    } else {
      const run = this.#run
      void this.#ports.probe(this.#limitMs).then(() => {
        afterReading(() => {
          if (run === this.#run) this.#judge()
        })
      })
    }
  }

  #judge(): void {
    const { publisher, clock } = this.#ports
    const silentMs = clock.now() - this.#quietSince
    if (publisher.waiting === 0) this.#arm(this.#limitMs)
    else if (silentMs < this.#limitMs) this.#arm(this.#limitMs - silentMs)
    else {
      this.stop()
      const events = `${publisher.waiting} events that wait for it`
      const message = `The hub said nothing for ${Math.round(silentMs)} ms about ${events}`
      this.#ports.stalled(new HeartbeatTimeoutError(message))
    }
  }

  get #quietSince(): number {
    return Math.max(this.#startedAt, this.#excusedAt, this.#ports.publisher.lastProgressAt)
  }
}

/** One per session. The hub answers a renewal only when it refuses it, and then by closing the link. */
export class SessionToken {
  readonly #credentials: SessionCredentials
  readonly #clock: Clock
  /** When the token that was shown last ends, by the clock. */
  #endsAt: number | undefined
  /** In a row. */
  #refusals = 0
  #stop: () => void = () => {}

  constructor(credentials: SessionCredentials, clock: Clock) {
    this.#credentials = credentials
    this.#clock = clock
  }

  /** What `hello` has to show. */
  async show(signal: AbortSignal): Promise<{ readonly token: string }> {
    try {
      return { token: await this.#newToken('connect', signal) }
    } catch (error) {
      if (error instanceof BusError) throw error
      throw new BootstrapError('Getting the token failed', { cause: error })
    }
  }

  /** The link is ready: what it was shown is renewed before it ends. */
  up(link: ProtocolLink): void {
    this.#refusals = 0
    const leftMs = this.#leftMs
    if (leftMs === undefined) return
    this.#setLongTimeout(renewalDelayMs(leftMs, this.#credentials.renewBeforeMs), link)
  }

  /** The hub did not accept what it was shown last. */
  refused(): void {
    this.#refusals++
  }

  /** The link is gone. */
  down(): void {
    this.#stop()
  }

  get #leftMs(): number | undefined {
    return this.#endsAt === undefined ? undefined : this.#endsAt - this.#clock.now()
  }

  #setLongTimeout(ms: number, link: ProtocolLink): void {
    this.#stop()
    this.#stop = setLongTimeout(this.#clock, ms, () => {
      this.#renew(link).catch((error: unknown) => {
        if (link.signal.aborted) return
        link.report('auth', error instanceof Error ? error : new Error(String(error)))
        // Once it has ended, the hub closes the link; the next one gets another token.
        const leftMs = this.#leftMs ?? 0
        if (leftMs > 0) this.#setLongTimeout(retryDelayMs(leftMs), link)
      })
    })
  }

  async #renew(link: ProtocolLink): Promise<void> {
    const token = await this.#newToken('renew', link.signal)
    await link.send(authLine(token))
    this.up(link)
  }

  async #newToken(reason: AuthContext['reason'], signal: AbortSignal): Promise<string> {
    const context = { reason, now: Date.now(), refusals: this.#refusals, signal }
    const { token, expiresAt } = await askToken(this.#credentials.token, context)
    // It took longer than the link lived: by now another one may be asking.
    signal.throwIfAborted()
    if (!isToken(token)) throw new AuthError('The token is longer than the hub takes')
    this.#endsAt = expiresAt === undefined ? undefined : this.#clock.now() + expiresAt - Date.now()
    return token
  }
}
