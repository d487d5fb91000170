/** A subscriber: enters every event that its handler gets, and every reported gap, in its record. */
import type { Bus, Event } from '@bus/core'
import type { SubscriberRecord } from '../oracle/record.ts'
import { isIntact } from './payload.ts'

/** How it handles an event: at once, or so that others pile up behind it. */
export type Pace = (handled: number) => Promise<void> | undefined

export interface SubscriberOptions {
  readonly bus: Bus
  readonly seed: number
  readonly record: SubscriberRecord
  readonly patterns: readonly string[]
  /** @default at once */
  readonly pace?: Pace
}

/** The type of the event that follows all others. */
export const END_OF_LOAD = 'load.end'

/** At once. */
const atOnce: Pace = () => undefined

/** Gives up the event loop once for so many events. */
export function slowly(every: number): Pace {
  return (handled) =>
    handled % every === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined
}

/** Resolves when it is live. */
export async function subscribe(options: SubscriberOptions): Promise<void> {
  const { bus, seed, record, patterns, pace = atOnce } = options
  bus.on('gap', (gap) => record.gap(gap))
  // One call for each event: two patterns that match the same event must not make two of it.
  await bus.subscribe(patterns, ({ type, payload }: Event) => {
    if (type === END_OF_LOAD) record.ends++
    else if (isIntact(seed, payload)) record.handle(payload)
    else record.corrupt++
    return pace(record.handled)
  })
}
