/** Things that were given up, for tests of dead letters. */
import { createEvent, type Undeliverable } from '@bus/core'

/** An inbound event of this payload whose handler failed. */
export function failedEvent(payload: unknown, change: Partial<Undeliverable> = {}): Undeliverable {
  return {
    reason: 'handler',
    direction: 'inbound',
    error: new Error('no'),
    attempts: 1,
    event: createEvent('order.created', payload),
    ...change,
  }
}
