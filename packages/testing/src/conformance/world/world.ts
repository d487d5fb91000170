/** The world of one case: transports and buses on a medium of its own, and ways to wait and to look. */
import {
  type Bus,
  type BusOptions,
  type Capabilities,
  type Clock,
  createBus,
  type QueueOptions,
  type Random,
  type SubscribeOptions,
  type Timer,
  type Transport,
} from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { Inbox } from './inbox.ts'
import type { FaultName, MediumFaults, Medium, TransportSettings } from '../medium.ts'
import { type ExpectedError, type CaseTiming, CaseWaits } from './waiting.ts'
import { seededRandom } from '../../chaos/seeded-random.ts'

/** A bus of a case: over a new transport of the medium, or over one that the case made before. */
interface CaseBusOptions extends Omit<BusOptions, 'transport' | 'events' | 'clock' | 'random'> {
  /** @default a new one on the medium */
  readonly transport?: Transport | undefined
  /** What waits to be sent, for a new transport. @default that of the transport */
  readonly queue?: QueueOptions | undefined
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
  readonly timing: CaseTiming
  /** A factor for how often a case repeats what it repeats. */
  readonly effort: number
  /** The faults that the case declares. */
  readonly faults: Required<Pick<MediumFaults, F>>
  /** Everything that the medium can do, for cases that make use of whatever there is. */
  readonly otherFaults: MediumFaults
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
  /** Resolves as soon as the condition is true; rejects after `expectMs` with what was awaited, and `details`. */
  until(condition: () => boolean, what: string, details?: () => unknown): Promise<void>
  /** As `until`, but for work that may take long: rejects when `progress` has not changed for `expectMs`. */
  untilDone(isDone: () => boolean, progress: () => number, what: string): Promise<void>
  /** What the promises give; rejects when for `expectMs` none of them was settled. */
  all<T>(promises: readonly Promise<T>[], what: string): Promise<T[]>
  /** Resolves when the promise rejects within `expectMs` with an error that says this. */
  rejects(promise: Promise<unknown>, expected: ExpectedError, what: string): Promise<void>
  /** What the promise gives, if it is settled within `expectMs`. */
  soon<T>(promise: Promise<T>, what: string): Promise<T>
  /** Lets the quiet period pass, in which nothing more may happen. */
  quiet(): Promise<void>
}

/** What the world of a case is made of. */
interface WorldParts {
  readonly caseId: string
  readonly medium: Medium
  readonly capabilities: Capabilities
  readonly seed: number
  readonly timing: CaseTiming
  readonly effort: number
}

/** The world that the runner gives to a case. */
export class CaseWorld implements World<FaultName> {
  readonly capabilities: Capabilities
  readonly seed: number
  readonly random: Random
  readonly timing: CaseTiming
  readonly effort: number
  readonly clock: CountingClock = new CountingClock()
  readonly waiting: CaseWaits
  readonly faults: Required<MediumFaults>
  readonly otherFaults: MediumFaults
  readonly #medium: Medium
  readonly #transports: Transport[] = []
  readonly #buses: Bus[] = []

  constructor({ caseId, medium, capabilities, seed, timing, effort }: WorldParts) {
    this.capabilities = capabilities
    this.seed = seed
    this.random = seededRandom(seed ^ numberOf(caseId))
    this.timing = timing
    this.effort = effort
    this.waiting = new CaseWaits(timing)
    // A case calls only those that it declares, and runs only where the medium has these.
    this.otherFaults = medium.faults ?? {}
    this.faults = this.otherFaults as Required<MediumFaults>
    this.#medium = medium
  }

  transport(settings: Partial<TransportSettings> = {}): Transport {
    const transport = this.#medium.transport({
      name: `transport-${this.#transports.length + 1}`,
      random: this.random,
      clock: this.clock,
      ...settings,
    })
    this.#transports.push(transport)
    return transport
  }

  bus(options: CaseBusOptions = {}): Bus {
    const { queue, transport = this.transport(queue && { queue }), ...rest } = options
    // Cases make errors on purpose: without a listener each would be a warning, and no case may leave one.
    const onError = rest.onError ?? (() => {})
    const bus = createBus({ ...rest, onError, transport, clock: this.clock, random: this.random })
    this.#buses.push(bus)
    return bus
  }

  async collect(
    bus: Bus,
    patterns: string | readonly string[],
    options?: SubscribeOptions,
  ): Promise<Inbox> {
    const inbox = new Inbox(this.waiting)
    inbox.attach(await this.soon(bus.subscribe(patterns, inbox.take, options), 'to be subscribed'))
    return inbox
  }

  untilDone(isDone: () => boolean, progress: () => number, what: string): Promise<void> {
    return this.waiting.untilDone(isDone, progress, what)
  }

  until(condition: () => boolean, what: string, details?: () => unknown): Promise<void> {
    return this.waiting.until(condition, what, details)
  }

  all<T>(promises: readonly Promise<T>[], what: string): Promise<T[]> {
    return this.waiting.all(promises, what)
  }

  rejects(promise: Promise<unknown>, expected: ExpectedError, what: string): Promise<void> {
    return this.waiting.rejects(promise, expected, what)
  }

  soon<T>(promise: Promise<T>, what: string): Promise<T> {
    return this.waiting.soon(promise, what)
  }

  quiet(): Promise<void> {
    return this.waiting.quiet()
  }

  /** Closes every bus, every transport, and then the medium; rejects when one of them does not end. */
  async close(): Promise<void> {
    const ends = [...this.#buses, ...this.#transports].map((one) => one.close())
    try {
      await this.soon(Promise.all(ends), 'every transport to close')
    } finally {
      await this.soon(this.#medium.stop(), 'the medium to stop')
    }
  }
}

/** A number of its own for each case: FNV-1a. */
function numberOf(caseId: string): number {
  let hash = 0x811c9dc5
  for (const char of caseId) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  return hash
}

/** Given to every transport and bus of a case. */
export class CountingClock implements Clock {
  readonly #running = new Set<Timer>()

  /** How many timers were started and have neither fired nor been cleared. */
  get pending(): number {
    return this.#running.size
  }

  now(): number {
    return systemClock.now()
  }

  setTimeout(run: () => void, ms: number): Timer {
    const timer = systemClock.setTimeout(() => {
      this.#running.delete(timer)
      run()
    }, ms)
    this.#running.add(timer)
    return timer
  }

  clearTimeout(timer: Timer): void {
    this.#running.delete(timer)
    systemClock.clearTimeout(timer)
  }
}
