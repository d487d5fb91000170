/** Raw frames for observers, which never slow the reader down, and the figures of a transport's traffic. */

import type {
  WaitOptions,
  MetricsCollector,
  NoticeChannel,
  Telemetry,
  MessageTelemetry,
} from '@bus/core'
import { AbortWatch, check, checkOptions, type LatencyStats } from '@bus/core/kit'
import type { Frame } from '../../protocol/protocol.ts'

/** A frame as it came. */
export type RawFrame =
  | { readonly kind: 'text'; readonly data: string }
  | { readonly kind: 'binary'; readonly data: Uint8Array }

/** How an observer of raw frames waits and how far it may fall behind. */
export interface FramesOptions extends WaitOptions {
  /** Frames kept for an observer that is slower than the link, an integer ≥ 1; beyond it the oldest are skipped. @default 1_000 */
  readonly highWaterMark?: number | undefined
}

interface Observer {
  /** Ends when the connection gets another owner. */
  readonly isOfOwner: boolean
  push(frame: RawFrame): void
  end(): void
}

/** Hands each frame to every observer. A frame costs one check while there is none. */
export class FrameTap {
  /** Whether there is an observer. A field, because it is read for each message; only this class writes it. */
  isWatched = false
  readonly #observers = new Set<Observer>()
  readonly #signals = new AbortWatch<FrameWindow>((window) => window.end())
  #isClosed = false

  frame(data: Frame): void {
    if (!this.isWatched) return
    const frame: RawFrame =
      typeof data === 'string' ? { kind: 'text', data } : { kind: 'binary', data }
    for (const observer of this.#observers) observer.push(frame)
  }

  /**
   * Shows each frame as it comes; the functions must not throw.
   * @param end - called when no frame will come any more
   * @param isOfOwner - whether it ends when the connection gets another owner
   * @returns a function that ends it
   */
  observe(
    see: (frame: RawFrame) => void,
    end: () => void = () => {},
    isOfOwner = false,
  ): () => void {
    const observer: Observer = { push: see, end, isOfOwner }
    this.#add(observer)
    return () => this.#delete(observer)
  }

  /** Ends the iterations and listeners of the owner so far; others may observe. */
  release(): void {
    for (const observer of this.#observers) {
      if (!observer.isOfOwner) continue
      observer.end()
      this.#delete(observer)
    }
  }

  /** Ends every observer's iteration. */
  close(): void {
    this.#isClosed = true
    for (const observer of this.#observers) observer.end()
    this.#observers.clear()
    this.isWatched = false
  }

  /** Observes from this call on, not only from the first `next`. */
  frames(options: FramesOptions = {}): AsyncGenerator<RawFrame, void, undefined> {
    checkOptions<FramesOptions>('', options, {
      signal: check.abortSignal,
      highWaterMark: check.integer({ min: 1 }),
    })
    const { signal, highWaterMark = 1_000 } = options
    const window = new FrameWindow(highWaterMark)
    if (this.#isClosed || signal?.aborted === true) window.end()
    else {
      this.#add(window)
      if (signal !== undefined) this.#signals.add(signal, window)
    }
    return window.iterate(() => {
      this.#delete(window)
      if (signal !== undefined) this.#signals.delete(signal, window)
    })
  }

  #add(observer: Observer): void {
    this.#observers.add(observer)
    this.isWatched = true
  }

  #delete(observer: Observer): void {
    this.#observers.delete(observer)
    this.isWatched = this.#observers.size > 0
  }
}

/** The newest frames that one observer has not taken yet. */
class FrameWindow implements Observer {
  readonly isOfOwner = true
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

/** Where a link reports what goes through its socket. */
export interface TrafficPort {
  /** Each message is collected. */
  readonly isCollected: boolean
  /** A message that is sent is published where this has subscribers, and one that is received where the other has. */
  readonly sentMessages: Pick<NoticeChannel<MessageTelemetry>, 'hasSubscribers'>
  readonly receivedMessages: Pick<NoticeChannel<MessageTelemetry>, 'hasSubscribers'>
  sent(frame: Frame, isBinary: boolean): void
  received(frame: Frame, isBinary: boolean): void
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

/** What traffic is reported to. */
export interface TrafficPorts {
  readonly source: { readonly transport: string; readonly id: string }
  readonly telemetry: Telemetry
  readonly collector: MetricsCollector | undefined
  readonly roundTrips: LatencyStats
  /** Runs functions of the application. */
  guard(run: () => void): void
}

/** Messages cost a read of two fields while they are neither collected nor published. Sockets count their bytes themselves. */
export class Traffic implements TrafficPort {
  readonly isCollected: boolean
  readonly sentMessages: NoticeChannel<MessageTelemetry>
  readonly receivedMessages: NoticeChannel<MessageTelemetry>
  readonly #ports: TrafficPorts
  #bytes: SocketBytes = { sent: 0, received: 0 }

  constructor(ports: TrafficPorts) {
    this.#ports = ports
    this.sentMessages = ports.telemetry.channel('bus.message.sent')
    this.receivedMessages = ports.telemetry.channel('bus.message.received')
    this.isCollected = ports.collector?.onMessage !== undefined
  }

  /** Of the sockets that are over. */
  get bytes(): SocketBytes {
    return this.#bytes
  }

  sent(frame: Frame, isBinary: boolean): void {
    this.#report('sent', this.sentMessages, frame, isBinary)
  }

  received(frame: Frame, isBinary: boolean): void {
    this.#report('received', this.receivedMessages, frame, isBinary)
  }

  roundTrip(ms: number): void {
    this.#ports.roundTrips.add(ms)
  }

  ended({ sent, received }: SocketBytes): void {
    this.#bytes = { sent: this.#bytes.sent + sent, received: this.#bytes.received + received }
  }

  #report(
    direction: 'sent' | 'received',
    channel: NoticeChannel<MessageTelemetry>,
    frame: Frame,
    binary: boolean,
  ): void {
    const { source, collector } = this.#ports
    if (!this.isCollected && !channel.hasSubscribers) return
    const bytes = bytesOf(frame)
    if (channel.hasSubscribers) channel.publish({ ...source, bytes, binary })
    if (!this.isCollected) return
    this.#ports.guard(() => collector?.onMessage?.({ direction, bytes, binary }))
  }
}

function bytesOf(frame: Frame): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength
}
