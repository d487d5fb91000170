/** One event and its JSON on the wire, in tests. */
import type { Event } from '@bus/core'

/** In the flat shape. */
export const wire: Readonly<Record<'id' | 'event_type', string>> & {
  readonly payload: object
  readonly metadata: object
} = {
  id: 'evt_123',
  event_type: 'notification.sent',
  payload: { user_id: 456 },
  metadata: { timestamp: '2024-02-29T12:34:56.789Z', source: 'shop', correlation_id: 'c-1' },
}

/** The same event. */
export const event: Event = {
  id: 'evt_123',
  type: 'notification.sent',
  payload: { user_id: 456 },
  metadata: { timestamp: 1_709_210_096_789, source: 'shop', correlationId: 'c-1' },
}
