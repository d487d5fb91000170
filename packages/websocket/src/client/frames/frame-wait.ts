/** Waiting for a frame that passes a test, without taking it from anybody. */
import {
  ClosedError,
  checkOptions,
  durationMs,
  where,
  withDeadline,
  type Clock,
  type Shape,
  type WaitOptions,
} from '@bus/core'
import type { FrameTap, RawFrame } from './frame-tap.ts'

/** How long a wait for a frame lasts. */
export interface FrameWaitOptions extends WaitOptions {
  /** Milliseconds after which the call rejects with `TimeoutError`. @default no limit */
  readonly timeoutMs?: number
}

const SHAPE: Shape<FrameWaitOptions> = Object.freeze({
  timeoutMs: durationMs({ min: 1, allowInfinity: true, allowLong: true }),
  signal: where('to be an AbortSignal', (value) => value instanceof AbortSignal),
})

/** Sees every frame that comes after the call, over all links. What the test throws rejects the wait. */
export async function waitForFrame(
  tap: Pick<FrameTap, 'observe'>,
  isWanted: (frame: RawFrame) => boolean,
  options: FrameWaitOptions,
  clock: Clock,
): Promise<RawFrame> {
  checkOptions('', options, SHAPE)
  const watch = (signal: AbortSignal): Promise<RawFrame> =>
    new Promise((resolve, reject) => {
      const see = (frame: RawFrame): void => {
        try {
          if (!isWanted(frame)) return
          resolve(frame)
        } catch (error) {
          reject(error)
        }
        stop()
      }
      const stop = tap.observe(see, () => reject(new ClosedError('The transport was closed')))
      signal.addEventListener('abort', stop, { once: true })
    })
  return await withDeadline(watch, { ...options, clock, what: 'Waiting for a frame' })
}
