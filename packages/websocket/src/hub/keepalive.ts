/** The keepalive of a hub: one timer pings every connection once in an interval, and cuts those that no longer answer. */

import type { Clock, Random, Timer } from '@bus/core'
import { afterReading } from '../socket/after-reading.ts'
import { LATE_SHARE } from '../socket/heartbeat.ts'

/** Moments of an interval at which connections are pinged: few enough to share a timer, and too many for a burst. */
const SLOTS = 256
/** Ticks that a ping which left late has at least for its answer. */
const FAIR_TICKS = SLOTS * (1 - LATE_SHARE)
/** Pings without any answer that end the link. */
const MAX_MISSED_PINGS = 2

export interface KeepaliveSchedulerOptions {
  readonly clock: Clock
  /** Spreads the pings of many connections over the interval. */
  readonly random: Random
  /** Milliseconds between two pings of a connection, and that an answer may take. */
  readonly intervalMs: number
  /** Runs later, once bytes that already wait have been read. @default two rounds of `setImmediate` */
  readonly defer?: (run: () => void) => void
}

/**
 * Gives the verdicts of `Heartbeat`, for thousands of connections at the price of one timer and a few numbers for each.
 *
 * Time is counted in ticks, {@link SLOTS} of them in an interval. A connection has one slot, picked at random, and is looked
 * at with each tick of that slot: the ping before this one had a whole interval for its answer.
 */
export class KeepaliveScheduler {
  readonly #clock: Clock
  readonly #random: Random
  readonly #tickMs: number
  readonly #lateMs: number
  readonly #defer: (run: () => void) => void
  readonly #startedAt: number
  readonly #slots: Set<KeepaliveState>[] = Array.from({ length: SLOTS }, () => new Set())
  #size = 0
  /** The first tick that was not looked at. */
  #next = 0
  #timer: Timer | undefined
  /** The tick that the timer is set for. */
  #due = Infinity

  constructor({ clock, random, intervalMs, defer = afterReading }: KeepaliveSchedulerOptions) {
    this.#clock = clock
    this.#random = random
    this.#tickMs = intervalMs / SLOTS
    this.#lateMs = intervalMs * LATE_SHARE
    this.#defer = defer
    this.#startedAt = clock.now()
  }

  /** Begins to ping a connection, at a random moment within one interval. */
  start(state: KeepaliveState): void {
    const soonest = this.#tickAt(this.#clock.now()) + 1
    // No slot with a connection lies between, so none is skipped.
    if (soonest < this.#due) this.#next = Math.max(this.#next, soonest)
    const slot = Math.floor(this.#random() * SLOTS)
    state.slot = slot
    this.#slots[slot]?.add(state)
    this.#size++
    if (this.#nextTickOf(slot) < this.#due) this.#arm()
  }

  /** Ends it; no timer stays behind the last one. Idempotent. */
  stop(state: KeepaliveState): void {
    if (state.slot === undefined) return
    this.#slots[state.slot]?.delete(state)
    state.slot = undefined
    this.#size--
    if (this.#size === 0) this.#disarm()
  }

  #onTimer(): void {
    const now = this.#clock.now()
    // A timer may come a little early; its tick is due all the same.
    const last = this.#tickAt(now, this.#due)
    const first = this.#next
    this.#next = last + 1
    // After a long stall every slot is looked at once.
    for (let tick = first; tick <= Math.min(last, first + SLOTS - 1); tick++) {
      const slot = this.#slots[tick % SLOTS]
      if (slot !== undefined && slot.size > 0) this.#check(slot, tick, now)
    }
    this.#arm()
  }

  /**
   * Timers run before waiting bytes are read: hence one that is itself late counts nothing as missed, and no
   * connection is judged before what waits was read.
   */
  #check(slot: ReadonlySet<KeepaliveState>, tick: number, now: number): void {
    const isLate = now - this.#timeOf(tick) > this.#lateMs
    const silent: KeepaliveState[] = []
    for (const state of slot) {
      const { waitingSince } = state
      if (waitingSince === undefined || (isLate && state.excuse()))
        state.ping(this.#tickAt(now, tick))
      else if (tick - waitingSince >= FAIR_TICKS) silent.push(state)
    }
    if (silent.length === 0) return
    this.#defer(() => {
      for (const state of silent) if (state.slot !== undefined) this.#judge(state, tick)
    })
  }

  #judge(state: KeepaliveState, tick: number): void {
    const isUnanswered = state.waitingSince !== undefined
    if (isUnanswered && state.miss() >= MAX_MISSED_PINGS && !state.wasHeard) {
      this.stop(state)
      state.terminate()
    } else state.ping(this.#tickAt(this.#clock.now(), tick))
  }

  /** The tick of a moment that is not before the tick `atLeast`. */
  #tickAt(now: number, atLeast = 0): number {
    return Math.max(atLeast, Math.floor((now - this.#startedAt) / this.#tickMs))
  }

  #timeOf(tick: number): number {
    return this.#startedAt + tick * this.#tickMs
  }

  /** The next tick of a slot. */
  #nextTickOf(slot: number): number {
    return this.#next + ((slot - (this.#next % SLOTS) + SLOTS) % SLOTS)
  }

  /** Waits for the next slot that is not empty. */
  #arm(): void {
    this.#disarm()
    if (this.#size === 0) return
    let tick = this.#next
    while (this.#slots[tick % SLOTS]?.size === 0) tick++
    const waitMs = this.#timeOf(tick) - this.#clock.now()
    this.#due = tick
    this.#timer = this.#clock.setTimeout(() => this.#onTimer(), waitMs)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#due = Infinity
  }
}

/** A connection as the keepalive sees it. */
export interface KeepaliveTarget {
  ping(payload: string): void
  /** A number that grows with everything that comes, parts of a frame included: a large one may take longer than any limit. */
  received(): number
  /** It no longer answers. */
  terminate(): void
}

/** No ping waits for its pong. */
const NONE = -1

/** The keepalive of one connection: numbers only, since a hub has one for each. */
export class KeepaliveState {
  /** Its slot in the interval; `undefined` while it is not pinged. */
  slot: number | undefined
  readonly #connection: KeepaliveTarget
  /** The tick of the ping that waits for its pong. */
  #awaited = NONE
  /** Pings in a row without a pong in time, also when other frames show that the link lives. */
  #missed = 0
  /** What had been received when the last ping was sent. */
  #received = 0
  /** What had been received when a late timer was excused last. */
  #excusedAt = NONE

  constructor(connection: KeepaliveTarget) {
    this.#connection = connection
  }

  /** The tick of the last ping, while it has no pong. */
  get waitingSince(): number | undefined {
    return this.#awaited === NONE ? undefined : this.#awaited
  }

  /** Whether anything came since the last ping, so that the other side lives even without the pong. */
  get wasHeard(): boolean {
    return this.#connection.received() > this.#received
  }

  /** A pong arrived. It is an answer only if its payload is the one that is waited for. */
  pong(payload: string): void {
    if (payload !== String(this.#awaited)) return
    this.#awaited = NONE
    this.#missed = 0
  }

  /** Sends a ping. @param tick - now, so that no two pings of a connection have the same payload */
  ping(tick: number): void {
    this.#awaited = tick
    this.#received = this.#connection.received()
    this.#connection.ping(String(tick))
  }

  /** The answer did not come in time. @returns how many times in a row */
  miss(): number {
    this.#missed++
    return this.#missed
  }

  /** Lets a missing answer pass, because our own stall may be to blame. `false`: nothing came since that was done last. */
  excuse(): boolean {
    const received = this.#connection.received()
    if (received === this.#excusedAt) return false
    this.#excusedAt = received
    return true
  }

  terminate(): void {
    this.#connection.terminate()
  }
}
