/** The reader: one for the transport's whole life, feeding every subscription from whatever link is alive. */
import { DecodeError, type Event } from '@bus/core'
import type { Frame, Protocol, ProtocolReceiver } from '../../protocol/protocol.ts'
import type { Registry } from './registry.ts'

export interface ReaderPorts {
  readonly protocol: Protocol
  readonly registry: Registry
  /** A frame that means nothing; the link stays up. */
  undecodable(error: Error, frame: Frame): void
  /** A subscription asked to wait. */
  held(): void
}

/** Never waits for the writer, never throws at the socket. */
export class Reader implements ProtocolReceiver {
  readonly #ports: ReaderPorts
  #received: number

  /** @param received - events that another reader has counted before */
  constructor(ports: ReaderPorts, received = 0) {
    this.#ports = ports
    this.#received = received
  }

  /** Events decoded since the start, wanted or not. */
  get received(): number {
    return this.#received
  }

  /** Counts an event that came another way. */
  count(): void {
    this.#received++
  }

  frame(frame: Frame): void {
    try {
      this.#ports.protocol.decode(frame, this)
    } catch (error) {
      const reason =
        error instanceof Error
          ? error
          : new DecodeError('The frame was not understood', { cause: error })
      // A copy: the frame is cut from a larger buffer, which a dead letter would keep alive.
      this.#ports.undecodable(reason, typeof frame === 'string' ? frame : new Uint8Array(frame))
    }
    if (this.#ports.registry.held > 0) this.#ports.held()
  }

  event(event: Event, token: number): void {
    this.#received++
    this.#ports.registry.deliver(event, token)
  }
}
