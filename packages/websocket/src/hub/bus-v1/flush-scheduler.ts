/** The flush: what one round of reading the sockets has set in motion is sent at its end, to one connection after the other. */

import type { Clock } from '@bus/core'
import type { EventLog } from './log/log.ts'
import type { PatternSets } from './log/pattern-set.ts'
import type { Confirmations } from './publishing/confirmations.ts'

// Of the process, not what a test puts in its place.
const { setImmediate } = globalThis

/** Connections that are flushed before others get to read again. */
const CONNECTIONS_AT_ONCE = 512

/** A connection that is flushed once in each flush for which it was marked. */
export interface Flushable {
  readonly session: {
    readonly subscriber: { readonly position: number; passBy(lastOffset: number): boolean }
  }
  /** Sends what there is. @param flush - the number of this flush */
  flush(flush: number): void
}

/** The events that wait for room in the log. */
export interface PendingSource {
  readonly pending: { readonly isEmpty: boolean }
  /** Moves on what waits, as far as there is room. */
  drain(now: number): void
}

export interface FlushSchedulerOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<EventLog, 'lastOffset'>
  readonly sets: Pick<PatternSets, 'endFlush'>
  /** `undefined`: an event that is in the log is confirmed. */
  readonly confirmations: Confirmations | undefined
  /** Every connection that may have something to read from the log. */
  readonly readers: ReadonlyMap<unknown, Flushable>
}

/**
 * `setImmediate` runs after every socket that had something was read, so that the acknowledgements and events of one
 * round leave in one write per connection.
 */
export class FlushScheduler {
  readonly #options: FlushSchedulerOptions
  #publishing: PendingSource | undefined
  #marked = new Set<Flushable>()
  #isScheduled = false
  #number = 1
  /** The log's last offset when the readers were looked at last. */
  #lastOffset = 0
  #caughtUp: (() => void)[] = []

  constructor(options: FlushSchedulerOptions) {
    this.#options = options
  }

  /** What waits there is moved on at the beginning of each flush. */
  attach(publishing: PendingSource): void {
    this.#publishing = publishing
  }

  /** This connection has something to send. */
  mark(connection: Flushable): void {
    this.#marked.add(connection)
    this.schedule()
  }

  /** The log grew, or may have room again. */
  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#begin)
  }

  /** A subscriber settled something, for which publishers may wait. */
  progress(): void {
    const isAwaited =
      this.#options.confirmations !== undefined || this.#publishing?.pending.isEmpty === false
    if (isAwaited) this.schedule()
  }

  /** Resolves once every reader was sent all that is in the log, or has left. */
  whenCaughtUp(): Promise<void> {
    return new Promise((resolve) => {
      this.#caughtUp.push(resolve)
      this.schedule()
    })
  }

  readonly #begin = (): void => {
    const { clock, log, confirmations, readers } = this.#options
    this.#number++
    this.#publishing?.drain(clock.now())
    confirmations?.settle((session) => session.link?.wake())
    // Events go before acknowledgements: a subscriber has waited for longer than the publisher of its event.
    const connections = new Set<Flushable>()
    if (log.lastOffset !== this.#lastOffset) {
      this.#lastOffset = log.lastOffset
      for (const reader of readers.values()) {
        if (!reader.session.subscriber.passBy(this.#lastOffset)) connections.add(reader)
      }
    }
    for (const connection of this.#marked) connections.add(connection)
    this.#marked = new Set()
    this.#serve([...connections], 0)
  }

  #serve(connections: readonly Flushable[], from: number): void {
    const to = Math.min(connections.length, from + CONNECTIONS_AT_ONCE)
    for (let i = from; i < to; i++) connections[i]?.flush(this.#number)
    if (to < connections.length) {
      setImmediate(() => this.#serve(connections, to))
      return
    }
    this.#isScheduled = false
    if (this.#caughtUp.length > 0 && this.#haveCaughtUp()) {
      for (const resolve of this.#caughtUp.splice(0)) resolve()
    }
    if (this.#options.sets.endFlush() || this.#marked.size > 0) this.schedule()
  }

  #haveCaughtUp(): boolean {
    const { log, readers } = this.#options
    for (const { session } of readers.values()) {
      const { subscriber } = session
      if (subscriber.position < log.lastOffset && !subscriber.passBy(log.lastOffset)) return false
    }
    return true
  }
}
