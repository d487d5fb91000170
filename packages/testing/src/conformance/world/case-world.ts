/** Makes the world of one case, and closes what was made with it. */
import {
  createBus,
  type Bus,
  type Capabilities,
  type Random,
  type SubscribeOptions,
  type Transport,
} from '@bus/core'
import { seededRandom } from '../../chaos/seeded-random.ts'
import { CountingClock } from './counting-clock.ts'
import { Inbox } from './inbox.ts'
import type { FaultName, Faults, Medium, TransportSettings } from '../medium.ts'
import { Waiting, type Refusal, type Timing } from './waiting.ts'
import type { CaseBusOptions, World } from './world.ts'

/** What the world of a case is made of. */
export interface WorldParts {
  readonly caseId: string
  readonly medium: Medium
  readonly capabilities: Capabilities
  readonly seed: number
  readonly timing: Timing
  readonly effort: number
}

/** The world that the runner gives to a case. */
export class CaseWorld implements World<FaultName> {
  readonly capabilities: Capabilities
  readonly seed: number
  readonly random: Random
  readonly timing: Timing
  readonly effort: number
  readonly clock: CountingClock = new CountingClock()
  readonly waiting: Waiting
  readonly faults: Required<Faults>
  readonly otherFaults: Faults
  readonly #medium: Medium
  readonly #transports: Transport[] = []
  readonly #buses: Bus[] = []

  constructor({ caseId, medium, capabilities, seed, timing, effort }: WorldParts) {
    this.capabilities = capabilities
    this.seed = seed
    this.random = seededRandom(seed ^ numberOf(caseId))
    this.timing = timing
    this.effort = effort
    this.waiting = new Waiting(timing)
    // A case calls only those that it declares, and runs only where the medium has these.
    this.otherFaults = medium.faults ?? {}
    this.faults = this.otherFaults as Required<Faults>
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
    const bus = createBus({ ...rest, transport, clock: this.clock, random: this.random })
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

  rejects(promise: Promise<unknown>, expected: Refusal, what: string): Promise<void> {
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
