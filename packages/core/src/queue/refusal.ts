/** The errors of a queue that does not take an item. */
import {
  ClosedError,
  DroppedError,
  QueueFullError,
  TooLargeError,
  type BusError,
} from '../contract/errors.ts'
import type { OfferResult } from './queue-hooks.ts'

/** The answers to an offer after which the item is not in the queue and will not be. */
export type Refusal = Exclude<OfferResult, 'accepted' | 'full'>

/** The error that stands for a refusal, with outcome `not-sent`. */
export function refusalError(refusal: Refusal, bytes: number, maxBytes: number): BusError {
  if (refusal === 'too-large') return new TooLargeError('The item', bytes, maxBytes)
  const { error, message } = REFUSALS[refusal]
  return new error(message, { outcome: 'not-sent' })
}

const REFUSALS = Object.freeze({
  dropped: { error: DroppedError, message: 'The queue is full and gave the item up' },
  rejected: { error: QueueFullError, message: 'The queue is full' },
  closed: { error: ClosedError, message: 'The queue is closed' },
})
