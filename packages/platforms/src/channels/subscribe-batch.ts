/** Subscribing in batches: many channels, so many at a time, with a pause in between. */
import type { Clock } from '@bus/core'
import { check, checkOptions, sleep, type Shape } from '@bus/core/kit'
import { partsOf } from './parts.ts'

/** How far a batch subscription has come. */
export interface BatchProgress {
  /** Channels that are confirmed. */
  readonly confirmed: number
  /** Channels altogether. */
  readonly total: number
  /** The batch that was just confirmed, from 1. */
  readonly batch: number
  readonly batches: number
}

/** How many channels are subscribed to at once, and how fast. */
export interface BatchOptions {
  /** Channels in a batch, an integer ≥ 1. @default 10 */
  readonly size?: number | undefined
  /** Milliseconds between one batch's confirmation and the next batch. @default 200 */
  readonly delayMs?: number | undefined
  /** Ends it: the call rejects with `AbortedError`. What was confirmed before stays subscribed. */
  readonly signal?: AbortSignal | undefined
  /** Called after each batch. What it throws ends the call. */
  readonly onProgress?: ((progress: BatchProgress) => void) | undefined
}

const SHAPE: Shape<BatchOptions> = Object.freeze({
  size: check.integer({ min: 1 }),
  delayMs: check.durationMs(),
  signal: check.abortSignal,
  onProgress: check.func,
})

/** Calls `subscribe` with one batch after the other; the first that fails is the last. */
export async function inBatches<T>(
  channels: readonly string[],
  options: BatchOptions,
  clock: Clock,
  subscribe: (batch: readonly string[], wait: { signal?: AbortSignal }) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  checkOptions('', options, SHAPE)
  const { size = 10, delayMs = 200, signal, onProgress } = options
  const wait = signal === undefined ? {} : { signal }
  const parts = partsOf(channels, size)
  const done: T[] = []
  for (const [i, part] of parts.entries()) {
    if (i > 0) await sleep(delayMs, { ...wait, clock })
    done.push(...(await subscribe(part, wait)))
    const [total, batch, batches] = [channels.length, i + 1, parts.length]
    onProgress?.({ confirmed: done.length, total, batch, batches })
  }
  return done
}
