/** Plain protocols, and the session that they all have: a frame is an event, and sent is when the operating system has it. */
import { DecodeError, type Event } from '@bus/core'
import type {
  Frame,
  PlainProtocol,
  Protocol,
  ProtocolCapabilities,
  ProtocolLink,
  ProtocolReceiver,
  ProtocolSession,
  SessionHost,
  SessionLink,
  WriterSource,
} from './protocol.ts'

/** What an author writes of a plain protocol. */
export type PlainProtocolDefinition = Omit<PlainProtocol, 'openSession' | 'accepts'>

/**
 * Makes a protocol of the functions that write and read its frames.
 *
 * @example
 * ```ts
 * import { createEvent } from '@bus/core'
 * import { webSocketTransport } from '@bus/websocket'
 * import { definePlainProtocol, plainJson } from '@bus/websocket/protocol'
 *
 * const ticks = definePlainProtocol({
 *   name: 'ticks',
 *   subprotocols: [],
 *   capabilities: plainJson().capabilities,
 *   encode: ({ payload }) => String(payload),
 *   decode: (frame, receiver) => receiver.event(createEvent('tick', Number(frame)), 0),
 * })
 * const transport = webSocketTransport({ url: 'wss://feed.example', protocol: ticks })
 * ```
 */
export function definePlainProtocol<T extends PlainProtocolDefinition>(
  definition: T,
): T & PlainProtocol {
  return {
    ...definition,
    openSession(this: PlainProtocol, host: SessionHost) {
      return plainSession(this, host)
    },
  }
}

/** Whether frames of this protocol are events, so that its functions can be replaced one by one: see `overlay`. */
export function isPlainProtocol(protocol: Protocol): protocol is PlainProtocol {
  return 'encode' in protocol && 'decode' in protocol
}

/**
 * The session of a plain protocol, for a class that is one: `openSession(host) { return plainSession(this, host) }`.
 *
 * @param protocol - its functions are called when the session needs them
 */
export function plainSession(protocol: PlainProtocol, host: SessionHost): ProtocolSession {
  return new PlainSession(protocol, host as PlainSessionHost)
}

/** What a plain session needs of its transport. */
export interface PlainSessionHost extends SessionHost {
  readonly outbox: {
    next(): { readonly frame: Frame } | undefined
    sent(): void
    linkLost(): void
  }
  readonly registry: {
    /** How many sinks have no room. */
    readonly held: number
    deliver(event: Event, token: number): number
  }
  /** Authenticates, sends the frames of `onOpen` and restores the subscriptions. */
  bootstrap(
    protocol: PlainProtocol,
    link: SessionLink,
    attempt: number,
    signal: AbortSignal,
  ): Promise<void>
  /** A sink has no room. */
  held(): void
  /** A frame that cannot be decoded; the link stays up. */
  undecodable(error: Error, frame: Frame): void
}

/** Keeps nothing but the link that is made ready. Reading never waits for the writer, and never throws at the socket. */
export class PlainSession implements ProtocolSession, WriterSource, ProtocolReceiver {
  readonly pausesReading = true
  readonly isText = false
  readonly source: WriterSource = this
  readonly subscribe?: (patterns: readonly string[], link: ProtocolLink) => Promise<void>
  readonly unsubscribe?: (patterns: readonly string[], link: ProtocolLink) => Promise<void>
  readonly restore?: (patterns: readonly string[], link: ProtocolLink) => Promise<void>
  readonly #protocol: PlainProtocol
  readonly #host: PlainSessionHost
  #link: SessionLink | undefined
  #received = 0

  constructor(protocol: PlainProtocol, host: PlainSessionHost) {
    this.#protocol = protocol
    this.#host = host
    if (protocol.subscribe !== undefined) this.subscribe = protocol.subscribe.bind(protocol)
    if (protocol.unsubscribe !== undefined) this.unsubscribe = protocol.unsubscribe.bind(protocol)
    if (protocol.restore !== undefined) this.restore = protocol.restore.bind(protocol)
  }

  /** Events decoded since the start, whether a subscription matches or not. */
  get received(): number {
    return this.#received
  }

  get capabilities(): ProtocolCapabilities {
    return this.#protocol.capabilities
  }

  encode(event: Event): Frame {
    return this.#protocol.encode(event)
  }

  open(link: SessionLink, attempt: number, signal: AbortSignal): Promise<void> {
    this.#link = link
    return this.#host.bootstrap(this.#protocol, link, attempt, signal)
  }

  up(): void {
    const link = this.#link
    if (link === undefined) return
    try {
      this.#protocol.up?.(link)
    } catch (error) {
      link.report('listener', error as Error)
    }
  }

  down(): void {
    this.#link = undefined
    this.#host.outbox.linkLost()
  }

  next(): Frame | undefined {
    return this.#host.outbox.next()?.frame
  }

  taken(): void {
    this.#host.outbox.sent()
  }

  frame(frame: Frame): void {
    const { registry } = this.#host
    try {
      this.#protocol.decode(frame, this)
    } catch (error) {
      const reason =
        error instanceof Error
          ? error
          : new DecodeError('The frame was not understood', { cause: error })
      // A copy: the frame is cut from a larger buffer, which a dead letter would keep in memory.
      this.#host.undecodable(reason, typeof frame === 'string' ? frame : new Uint8Array(frame))
    }
    if (registry.held > 0) this.#host.held()
  }

  event(event: Event, token: number): void {
    this.#received++
    this.#host.registry.deliver(event, token)
  }

  last(): undefined {}

  close(): void {
    try {
      this.#protocol.close?.()
    } catch (error) {
      this.#link?.report('listener', error as Error)
    }
  }
}
