/** Traffic: what goes through the sockets of one transport, for whoever measures it. */
import type { LatencyStats, MetricsCollector, NoticeChannel, Telemetry } from '@bus/core'
import type { MessageTelemetry } from '@bus/core'
import type { Frame } from '../../protocol/protocol.ts'

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
