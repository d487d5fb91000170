/** Raw frames for whoever wants to see them: an observer, which never slows the reader down. */
import { checkOptions, integer, where, type WaitOptions } from '@bus/core'
import type { Frame } from '../../protocol/protocol.ts'

/** A frame as it came. */
export type RawFrame =
  | { readonly kind: 'text'; readonly data: string }
  | { readonly kind: 'binary'; readonly data: Uint8Array }

/** How an observer of raw frames waits and how far it may fall behind. */
export interface FramesOptions extends WaitOptions {
  /** Frames kept for an observer that is slower than the link, an integer ≥ 1; beyond it the oldest are skipped. @default 1_000 */
  readonly highWaterMark?: number
}

interface Observer {
  push(frame: RawFrame): void
  end(): void
}

/** Hands each frame to every observer; costs one check a frame while there is none. */
export class FrameTap {
  readonly #observers = new Set<Observer>()
  #isClosed = false

  /** Whether somebody observes. */
  get isWatched(): boolean {
    return this.#observers.size > 0
  }

  frame(data: Frame): void {
    if (this.#observers.size === 0) return
    const frame: RawFrame =
      typeof data === 'string' ? { kind: 'text', data } : { kind: 'binary', data }
    for (const observer of this.#observers) observer.push(frame)
  }

  /**
   * Shows each frame as it comes; the functions must not throw.
   * @param end - called when no frame will come any more
   * @returns a function that ends it
   */
  observe(see: (frame: RawFrame) => void, end: () => void = () => {}): () => void {
    const observer: Observer = { push: see, end }
    this.#observers.add(observer)
    return () => void this.#observers.delete(observer)
  }

  /** Ends the iterations of whoever observed so far; others may observe. */
  release(): void {
    for (const observer of this.#observers) {
      if (!(observer instanceof FrameWindow)) continue
      observer.end()
      this.#observers.delete(observer)
    }
  }

  /** Ends every observer's iteration. */
  close(): void {
    this.#isClosed = true
    for (const observer of this.#observers) observer.end()
    this.#observers.clear()
  }

  /** Observes from this call on, not only from the first `next`. */
  frames(options: FramesOptions = {}): AsyncGenerator<RawFrame, void, undefined> {
    checkOptions<FramesOptions>('', options, {
      signal: where('to be an AbortSignal', (value) => value instanceof AbortSignal),
      highWaterMark: integer({ min: 1 }),
    })
    const { signal, highWaterMark = 1_000 } = options
    const window = new FrameWindow(highWaterMark)
    if (this.#isClosed || signal?.aborted === true) window.end()
    else this.#observers.add(window)
    const end = (): void => window.end()
    signal?.addEventListener('abort', end, { once: true })
    return window.iterate(() => {
      this.#observers.delete(window)
      signal?.removeEventListener('abort', end)
    })
  }
}

/** The newest frames that one observer has not taken yet. */
class FrameWindow implements Observer {
  readonly #limit: number
  readonly #frames: RawFrame[] = []
  #isEnded = false
  #wake: () => void = () => {}

  constructor(limit: number) {
    this.#limit = limit
  }

  push(frame: RawFrame): void {
    if (this.#frames.length >= this.#limit) this.#frames.shift()
    this.#frames.push(frame)
    this.#wake()
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  async *iterate(release: () => void): AsyncGenerator<RawFrame, void, undefined> {
    try {
      for (;;) {
        const frame = this.#frames.shift()
        if (frame !== undefined) yield frame
        else if (this.#isEnded) return
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve
          })
        }
      }
    } finally {
      release()
    }
  }
}
