/** What a case gets: transports and buses on a medium of its own, and ways to wait and to look. */
import type {
  Bus,
  BusOptions,
  Capabilities,
  Clock,
  QueueOptions,
  Random,
  SubscribeOptions,
  Transport,
} from '@bus/core'
import type { Inbox } from './inbox.ts'
import type { FaultName, Faults, TransportSettings } from '../medium.ts'
import type { Refusal, Timing } from './waiting.ts'

/** A bus of a case: over a new transport of the medium, or over one that the case made before. */
export interface CaseBusOptions extends Omit<
  BusOptions,
  'transport' | 'events' | 'clock' | 'random'
> {
  /** @default a new one on the medium */
  readonly transport?: Transport
  /** What waits to be sent, for a new transport. @default that of the transport */
  readonly queue?: QueueOptions
}

/** The world of one case. Everything made with it is closed when the case has ended. */
export interface World<F extends FaultName = never> {
  readonly capabilities: Capabilities
  /** The seed of the run. Each case draws from a sequence of its own, so it can be repeated alone. */
  readonly seed: number
  /** Numbers in [0, 1), the same for the same seed and case. */
  readonly random: Random
  /** The time of the machine. Timers that are left on it after the case are reported. */
  readonly clock: Clock
  readonly timing: Timing
  /** A factor for how often a case repeats what it repeats. */
  readonly effort: number
  /** The faults that the case declares. */
  readonly faults: Required<Pick<Faults, F>>
  /** Everything that the medium can do, for cases that make use of whatever there is. */
  readonly otherFaults: Faults
  /** A new transport on the medium. */
  transport(settings?: Partial<TransportSettings>): Transport
  /** A bus over a transport of the medium. */
  bus(options?: CaseBusOptions): Bus
  /** Subscribes, and keeps what arrives. Resolves when live. */
  collect(
    bus: Bus,
    patterns: string | readonly string[],
    options?: SubscribeOptions,
  ): Promise<Inbox>
  /** Resolves as soon as the condition holds; rejects after `expectMs` with what was awaited, and `details`. */
  until(condition: () => boolean, what: string, details?: () => unknown): Promise<void>
  /** As `until`, but for work that may take long: rejects when `progress` has not changed for `expectMs`. */
  untilDone(isDone: () => boolean, progress: () => number, what: string): Promise<void>
  /** What the promises give; rejects when for `expectMs` none of them was settled. */
  all<T>(promises: readonly Promise<T>[], what: string): Promise<T[]>
  /** Resolves when the promise rejects within `expectMs` with an error that says this. */
  rejects(promise: Promise<unknown>, expected: Refusal, what: string): Promise<void>
  /** What the promise gives, if it is settled within `expectMs`. */
  soon<T>(promise: Promise<T>, what: string): Promise<T>
  /** Lets the quiet period pass, in which nothing more may happen. */
  quiet(): Promise<void>
}
