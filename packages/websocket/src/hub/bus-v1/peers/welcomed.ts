/** The welcomed: who speaks on a connection once the hub knows it. */
import type { LineFault } from '../../../protocol/bus-v1/codes.ts'
import type { WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import type { PublishLine } from '../../../protocol/bus-v1/publish-line.ts'

/** Who was welcomed on a connection: what its lines mean. */
export interface Welcomed {
  publish(bytes: Buffer, from: number, to: number, line: PublishLine, resent: boolean): void
  subscribe(sub: WireSubscription): LineFault | undefined
  unsubscribe(id: number): void
  ack(offset: number): void
  /** The socket takes more again. */
  wake(): void
  /** Tells the subscriber how far it is, if it does not know. */
  tellCursor(): void
}
