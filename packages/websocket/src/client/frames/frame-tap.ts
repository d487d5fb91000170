/** Raw frames for whoever wants to see them: an observer, which never slows the reader down. */

import type {
  WaitOptions,
  MetricsCollector,
  NoticeChannel,
  Telemetry,
  MessageTelemetry,
} from '@bus/core'
import { checkOptions, integer, where, type LatencyStats } from '@bus/core/kit'
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

/** What a link tells of its socket. */
export interface TrafficPort {
  /** Whether anybody wants to know of each message. */
  readonly isWatched: boolean
  sent(frame: Frame, binary: boolean): void
  received(frame: Frame, binary: boolean): void
  /** A ping was answered, after so many milliseconds. */
  roundTrip(ms: number): void
  /** The socket is over. */
  ended(bytes: SocketBytes): void
}

/** Bytes of one socket, or of many. */
export interface SocketBytes {
  readonly sent: number
  readonly received: number
}

/** What traffic is told to. */
export interface TrafficPorts {
  readonly source: { readonly transport: string; readonly id: string }
  readonly telemetry: Telemetry
  readonly collector: MetricsCollector | undefined
  readonly roundTrips: LatencyStats
  /** Runs what belongs to others. */
  guard(run: () => void): void
}

/** While nobody watches, a message costs one question. Bytes of sockets are counted by the sockets themselves. */
export class Traffic implements TrafficPort {
  readonly #ports: TrafficPorts
  readonly #sent: NoticeChannel<MessageTelemetry>
  readonly #received: NoticeChannel<MessageTelemetry>
  readonly #isCollected: boolean
  #bytes: SocketBytes = { sent: 0, received: 0 }

  constructor(ports: TrafficPorts) {
    this.#ports = ports
    this.#sent = ports.telemetry.channel('bus.message.sent')
    this.#received = ports.telemetry.channel('bus.message.received')
    this.#isCollected = ports.collector?.onMessage !== undefined
  }

  get isWatched(): boolean {
    return this.#isCollected || this.#sent.hasSubscribers || this.#received.hasSubscribers
  }

  /** Of the sockets that are over. */
  get bytes(): SocketBytes {
    return this.#bytes
  }

  sent(frame: Frame, binary: boolean): void {
    const bytes = bytesOf(frame)
    if (this.#sent.hasSubscribers) this.#sent.publish({ ...this.#ports.source, bytes, binary })
    this.#collect('sent', bytes, binary)
  }

  received(frame: Frame, binary: boolean): void {
    const bytes = bytesOf(frame)
    const channel = this.#received
    if (channel.hasSubscribers) channel.publish({ ...this.#ports.source, bytes, binary })
    this.#collect('received', bytes, binary)
  }

  roundTrip(ms: number): void {
    this.#ports.roundTrips.add(ms)
  }

  ended({ sent, received }: SocketBytes): void {
    this.#bytes = { sent: this.#bytes.sent + sent, received: this.#bytes.received + received }
  }

  #collect(direction: 'sent' | 'received', bytes: number, binary: boolean): void {
    if (!this.#isCollected) return
    this.#ports.guard(() => this.#ports.collector?.onMessage?.({ direction, bytes, binary }))
  }
}

function bytesOf(frame: Frame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength
}
