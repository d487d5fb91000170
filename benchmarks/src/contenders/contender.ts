/** The contract of a contender: a broker in a process of its own, and the two ends of its client library. */
import type { Message, Workload } from '../workload/workload.ts'
import type { OnEvent } from '../workload/wire-event.ts'
import type { RawConnection } from '../wire/raw-connection.ts'

/** A way of carrying events that a run can measure. One file of this folder implements each. */
export interface Contender {
  readonly name: string
  /**
   * Called in the broker's process. It listens on 127.0.0.1, on a port that the system chooses.
   *
   * @param keep how many events its log keeps, where it has one @default as many as it always does
   */
  startBroker(keep?: number): Promise<Broker>
  /** Called in the client's process. */
  connectPublisher(url: string, workload: Workload): Promise<Publisher>
  /** Called in the client's process; resolves when an event published from now on arrives. */
  connectSubscriber(url: string, workload: Workload, onEvent: OnEvent): Promise<Closable>
  /**
   * A subscription over a bare socket, for subscribers that count bytes instead of parsing them. Subscribes to
   * `order.created` and resolves when it is live. Left out where another contender's stands for it.
   */
  subscribeRaw?(url: string): Promise<RawSubscriber>
}

/** A live subscription over a bare socket. */
export interface RawSubscriber {
  readonly connection: RawConnection
  /** Told how many events have come since the start, where the broker expects acknowledgements. */
  readonly counted?: (events: number) => void
}

/** A broker that listens. */
export interface Broker {
  readonly url: string
  /** The process to account CPU and memory to: our own or that of a native server. */
  readonly pid: number
}

/** A connection that can be ended. */
export interface Closable {
  close(): Promise<void> | void
}

/** The end that publishes; which kind says what the contender promises. */
export type Publisher = EmittingPublisher | ConfirmingPublisher

/** Publishes without hearing back: at most once. */
interface EmittingPublisher extends Closable {
  readonly kind: 'emits'
  /** `false` asks to wait for `ready` before the next. */
  emit(message: Message): boolean
  ready(): Promise<void>
}

/** Hears for each event that the broker has taken it over: at least once. */
export interface ConfirmingPublisher extends Closable {
  readonly kind: 'confirms'
  /** Resolves once the broker has confirmed this event, and rejects if it did not. */
  publish(message: Message): Promise<unknown>
}
