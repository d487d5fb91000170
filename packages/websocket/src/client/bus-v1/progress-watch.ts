/** The watch over progress: notices a hub that answers pings and says nothing of what was published. */

import { HeartbeatTimeoutError, AuthError, BootstrapError, BusError, type Clock } from '@bus/core'
import { after } from '@bus/core/kit'
import { afterReading } from '../../socket/after-reading.ts'
import { LATE_SHARE } from '../../socket/heartbeat.ts'
import type { WireLimits } from '../../protocol/bus-v1/limits.ts'
import { authLine } from '../../protocol/bus-v1/client-lines.ts'
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
  /** Milliseconds without a word of the hub while something waits for it. `Infinity`: as long as it likes. */
  readonly limitMs: number
  /** Events that wait for their confirmation. */
  waiting(): number
  /** Settles when a ping that is sent now was answered, or was not within so many milliseconds. Never rejects. */
  probe(timeoutMs: number): Promise<unknown>
  /** The hub takes nothing: the link must end. */
  stalled(error: HeartbeatTimeoutError): void
}

/** How many of the promised words may stay away. */
const WORDS = 2

/**
 * A hub that cannot confirm yet, because a subscriber is slow, says `ok` all the same. So silence means that it does not
 * get what we publish, or cannot go on. Only a hub that has promised these words in its welcome is watched.
 *
 * A word may be under way behind many events, on a slow link. So the verdict waits for the answer to a ping, which comes
 * behind that word, though no longer than the limit once more.
 */
export class ProgressWatch {
  readonly #ports: ProgressPorts
  #limitMs = Infinity
  /** From when on the silence is counted. */
  #since = 0
  #stopTimer: (() => void) | undefined
  /** Grows at each stop, which makes a verdict that was deferred before it void. */
  #run = 0
  #isProbing = false
  /** A late timer was excused and nothing was heard since. */
  #isExcused = false

  constructor(ports: ProgressPorts) {
    this.#ports = ports
  }

  /** A hub has welcomed us. */
  begin({ okMs }: Pick<WireLimits, 'okMs'>): void {
    this.stop()
    this.#limitMs = okMs === undefined ? Infinity : Math.max(this.#ports.limitMs, WORDS * okMs)
    if (this.#ports.waiting() > 0) this.waits()
  }

  /** The first event waits for its confirmation: from now on a word is due. */
  waits(): void {
    if (this.#limitMs === Infinity) return
    this.heard()
    if (this.#stopTimer === undefined && !this.#isProbing) this.#arm(this.#limitMs)
  }

  /** The hub said something of what was published. */
  heard(): void {
    this.#since = this.#ports.clock.now()
    this.#isExcused = false
  }

  /** The link is gone. No timer stays. */
  stop(): void {
    this.#run++
    this.#limitMs = Infinity
    this.#isProbing = false
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  #arm(ms: number): void {
    const { clock } = this.#ports
    const due = clock.now() + ms
    this.#stopTimer = after(clock, ms, () => {
      this.#stopTimer = undefined
      this.#onTimer(clock.now() - due)
    })
  }

  #onTimer(lateMs: number): void {
    if (this.#ports.waiting() === 0) return
    const leftMs = this.#leftMs
    if (leftMs > 0) this.#arm(leftMs)
    else if (lateMs > this.#limitMs * LATE_SHARE && !this.#isExcused) {
      // We stood still ourselves, and what the hub has said may lie unread.
      this.heard()
      this.#isExcused = true
      this.#arm(this.#limitMs)
    } else {
      this.#isProbing = true
      const run = this.#run
      void this.#ports.probe(this.#limitMs).then(() => {
        afterReading(() => {
          if (run === this.#run) this.#judge()
        })
      })
    }
  }

  #judge(): void {
    this.#isProbing = false
    const count = this.#ports.waiting()
    const leftMs = this.#leftMs
    if (leftMs > 0) this.#arm(leftMs)
    else if (count > 0) {
      const silentMs = Math.round(this.#ports.clock.now() - this.#since)
      this.stop()
      const what = `The hub said nothing for ${silentMs} ms of events that wait for it: ${count}`
      this.#ports.stalled(new HeartbeatTimeoutError(what))
    }
  }

  get #leftMs(): number {
    return this.#since + this.#limitMs - this.#ports.clock.now()
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
      return { token: await this.#ask('connect', signal) }
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
    this.#after(renewalDelayMs(leftMs, this.#credentials.renewBeforeMs), link)
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

  #after(ms: number, link: ProtocolLink): void {
    this.#stop()
    this.#stop = after(this.#clock, ms, () => {
      this.#renew(link).catch((error: unknown) => {
        if (link.signal.aborted) return
        link.report('auth', error instanceof Error ? error : new Error(String(error)))
        // Once it has ended, the hub closes the link; the next one gets another token.
        const leftMs = this.#leftMs ?? 0
        if (leftMs > 0) this.#after(retryDelayMs(leftMs), link)
      })
    })
  }

  async #renew(link: ProtocolLink): Promise<void> {
    const token = await this.#ask('renew', link.signal)
    await link.send(authLine(token))
    this.up(link)
  }

  async #ask(reason: AuthContext['reason'], signal: AbortSignal): Promise<string> {
    const context = { reason, now: Date.now(), refusals: this.#refusals, signal }
    const { token, expiresAt } = await askToken(this.#credentials.token, context)
    // It took longer than the link lived: by now another one may be asking.
    signal.throwIfAborted()
    if (!isToken(token)) throw new AuthError('The token is longer than the hub takes')
    this.#endsAt = expiresAt === undefined ? undefined : this.#clock.now() + expiresAt - Date.now()
    return token
  }
}
