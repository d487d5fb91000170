/** The limits of a publish: its caller's signal and time limit, either of which ends it. */
import {
  AbortWatch,
  AbortedError,
  TimeoutError,
  type BusError,
  type Clock,
  type PublishOptions,
} from '@bus/core'
import type { OutboxEntry } from './outbox-entry.ts'

/** Of one outbox. One listener per signal, however many events it may end. */
export class PublishLimits {
  readonly #clock: Clock
  readonly #withdraw: (entry: OutboxEntry, error: BusError) => void
  readonly #signals: AbortWatch<OutboxEntry>

  /** @param withdraw - ends the publish with the error */
  constructor(clock: Clock, withdraw: (entry: OutboxEntry, error: BusError) => void) {
    this.#clock = clock
    this.#withdraw = withdraw
    this.#signals = new AbortWatch((entry, signal) => {
      const { outcome } = entry
      const what = `Publishing ${entry.event.id}`
      withdraw(entry, new AbortedError(what, { cause: signal.reason, outcome }))
    })
  }

  start(entry: OutboxEntry, { signal, timeoutMs }: PublishOptions): void {
    if (signal !== undefined) {
      entry.signal = signal
      this.#signals.add(signal, entry)
    }
    if (timeoutMs === undefined) return
    const message = `Publishing ${entry.event.id} took longer than ${timeoutMs} ms`
    entry.limit(timeoutMs, this.#clock, () =>
      this.#withdraw(entry, new TimeoutError(message, { outcome: entry.outcome })),
    )
  }

  /** The publish is settled. Its timer ends with the entry's promise. */
  stop(entry: OutboxEntry): void {
    if (entry.signal !== undefined) this.#signals.delete(entry.signal, entry)
    entry.signal = undefined
  }
}
