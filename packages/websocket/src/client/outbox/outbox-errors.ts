/** The errors of events that a full outbox did not keep. */
import { DroppedError, QueueFullError } from '@bus/core'
import type { OutboxEntry } from './outbox-entry.ts'

/** Given up by a drop strategy. */
export function dropped(entry: OutboxEntry): DroppedError {
  const message = `The full outbox dropped the event ${entry.event.id}`
  return new DroppedError(message, { outcome: 'not-sent' })
}

/** Not taken. */
export function queueFull(entry: OutboxEntry): QueueFullError {
  const message = `The outbox is full, it did not take the event ${entry.event.id}`
  return new QueueFullError(message, { outcome: 'not-sent' })
}
