/** The ports of a `bus.v1` session: what it needs of the client, and whom it tells. */
import type { Clock, Gap } from '@bus/core'
import type { SessionCredentials } from '../../protocol/credentials.ts'
import type { Frame } from '../../protocol/protocol.ts'
import type { Registry } from '../subscriptions/registry.ts'
import type { PublisherOutbox } from './publisher.ts'

export interface BusV1Ports {
  readonly outbox: PublisherOutbox
  readonly registry: Registry
  readonly clock: Clock
  readonly maxMessageBytes: number
  /** What is shown to the hub; absent where the handshake says it all. */
  readonly credentials: SessionCredentials | undefined
  /** Milliseconds without a word of the hub about what was published that end the link; `Infinity`: none do. */
  readonly progressMs: number
  /** There is something to write. */
  wake(): void
  received(): void
  gap(gap: Gap): void
  /** The hub wants to be left alone for a while, counted from the end of the link. */
  postpone(retryAfterMs: number, spreadMs: number): void
  undecodable(error: Error, frame: Frame): void
  /** The verdict on everything that was wanted when the link opened. */
  restored(taken: readonly string[], refused: ReadonlyMap<string, Error>): void
}
