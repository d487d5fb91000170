/** The session of a simple protocol: a frame is an event, and sent is when the operating system has it. */
import type { Event } from '@bus/core'
import type { Frame, Protocol, ProtocolCapabilities, ProtocolLink } from '../protocol/protocol.ts'
import { bootstrap, type Link } from './link/link.ts'
import type { ResolvedOptions } from './options/options.ts'
import type { OutboxEntry } from './outbox/outbox.ts'
import type { WriterSource, Session } from './link/session.ts'
import type { Reader } from './subscriptions/registry.ts'

/** What a plain session needs of its client. */
export interface PlainSessionPorts {
  readonly outbox: {
    next(): OutboxEntry | undefined
    sent(): void
    linkLost(): void
  }
  readonly reader: Reader
  /** Restores the subscriptions, where the protocol has such a thing. */
  readonly restore: (link: Link) => Promise<void>
}

/** Keeps nothing but the link that is made ready. */
export class PlainSession implements Session, WriterSource {
  readonly pausesReading = true
  readonly isText = false
  readonly source: WriterSource = this
  readonly subscribe?: (patterns: readonly string[], link: ProtocolLink) => Promise<void>
  readonly unsubscribe?: (patterns: readonly string[], link: ProtocolLink) => Promise<void>
  readonly restore?: (patterns: readonly string[], link: ProtocolLink) => Promise<void>
  readonly #protocol: Protocol
  readonly #options: Pick<ResolvedOptions, 'onOpen'>
  readonly #ports: PlainSessionPorts
  #link: Link | undefined

  constructor(
    protocol: Protocol,
    options: Pick<ResolvedOptions, 'onOpen'>,
    ports: PlainSessionPorts,
  ) {
    this.#protocol = protocol
    this.#options = options
    this.#ports = ports
    if (protocol.subscribe !== undefined) this.subscribe = protocol.subscribe.bind(protocol)
    if (protocol.unsubscribe !== undefined) this.unsubscribe = protocol.unsubscribe.bind(protocol)
    if (protocol.restore !== undefined) this.restore = protocol.restore.bind(protocol)
  }

  get received(): number {
    return this.#ports.reader.received
  }

  get capabilities(): ProtocolCapabilities {
    return this.#protocol.capabilities
  }

  encode(event: Event): Frame {
    return this.#protocol.encode(event)
  }

  open(link: Link, attempt: number, signal: AbortSignal): Promise<void> {
    this.#link = link
    const options = { protocol: this.#protocol, onOpen: this.#options.onOpen }
    return bootstrap(link, attempt, signal, options, this.#ports.restore)
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
    this.#ports.outbox.linkLost()
  }

  next(): Frame | undefined {
    return this.#ports.outbox.next()?.frame
  }

  taken(): void {
    this.#ports.outbox.sent()
  }

  frame(frame: Frame): void {
    this.#ports.reader.frame(frame)
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
