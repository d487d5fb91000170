/** The ports of the outbox: what it is allowed, and whom it tells. */
import type { BusError, Clock, Undeliverable } from '@bus/core'
import type { OutboxEntry } from './outbox-entry.ts'

export interface OutboxPorts {
  readonly clock: Clock
  /** Tries per event over broken links. */
  readonly maxAttempts: number
  /** The largest frame. */
  readonly maxMessageBytes: number
  /** Whether an entry may be taken at all; an error says why not. Absent: each may. */
  readonly admit?: ((entry: OutboxEntry) => BusError | undefined) | undefined
  /** What goes first: the greater. Absent: what came first. */
  readonly rank?: ((entry: OutboxEntry) => number) | undefined
  /** An entry was added: the writer may run. */
  offered(): void
  undeliverable(notice: Undeliverable): void
  level(level: 'high' | 'normal', fillRatio: number): void
  /** An entry left: there may be room again. */
  room(): void
}
