/** A bus for tests: in memory, on a clock that the test moves, with everything that happens to its events awaitable. */
import {
  AbortedError,
  ConfigError,
  TimeoutError,
  createBus,
  type Bus,
  type BusOptions,
  type DeadLetter,
  type Event,
  type EventMap,
  type EventSchemas,
  type InputOf,
  type OutputOf,
} from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { memoryTransport, type MemoryTransportOptions } from '@bus/core/memory'
import { FakeClock } from '../fake-clock.ts'
import { DEFAULT_WAIT_MS, Waits, type WaitForOptions, type WaitSpec } from '../waits.ts'
import { isEvent, type EventMatcher } from './event-matcher.ts'
import { Ledger } from './ledger.ts'

/** The options of a bus for tests: those of `createBus` but for the transport, and those of the memory transport. */
export interface TestBusOptions extends Omit<BusOptions, 'transport' | 'clock'> {
  /** What carries the events, such as a medium shared by several buses. @default a memory of its own */
  readonly memory?: Omit<MemoryTransportOptions, 'clock'>
  /** The clock, to share one. @default a new `FakeClock` */
  readonly clock?: FakeClock
}

/**
 * Makes a bus for tests.
 *
 * @example
 * ```ts
 * import { testBus } from '@bus/testing'
 *
 * await using test = testBus<{ 'order.created': { total: number } }>()
 * await test.bus.subscribe('order.*', () => {})
 * test.bus.emit('order.created', { total: 12.5 })
 * const event = await test.consumed('order.created')
 * await test.idle()
 * console.log(event.payload, test.deadLetters.length)
 * ```
 *
 * @throws `ConfigError`
 */
export function testBus<S extends EventSchemas>(
  options: TestBusOptions & { readonly events: S },
): TestBus<InputOf<S>, OutputOf<S>>
export function testBus<M extends EventMap = EventMap>(options?: TestBusOptions): TestBus<M>
export function testBus(options: TestBusOptions = {}): TestBus {
  return new TestBus(options)
}

/** A bus, its clock, and what became of its events. */
export class TestBus<
  M extends EventMap = EventMap,
  H extends EventMap = M,
> implements AsyncDisposable {
  readonly bus: Bus<M, H>
  /** Moves the time of the bus and its transport. */
  readonly clock: FakeClock
  readonly #waits = new Waits(systemClock)
  readonly #ledger: Ledger

  /** Use `testBus`. */
  constructor(options: TestBusOptions) {
    if (Object.hasOwn(options, 'transport')) {
      throw new ConfigError('transport', 'Expected no `transport`: a bus for tests is in memory')
    }
    const { memory = {}, clock = new FakeClock(), middleware = [], ...rest } = options
    this.clock = clock
    this.#ledger = new Ledger(() => this.#waits.notify())
    const own: BusOptions = {
      ...rest,
      clock,
      transport: memoryTransport({ ...memory, clock }),
      // The outermost: it sees what the application sees.
      middleware: [this.#ledger.middleware, ...middleware],
    }
    // With or without schemas: which events there are is what the caller of `testBus` has said.
    this.bus = createBus(own as BusOptions & { readonly events?: undefined }) as unknown as Bus<
      M,
      H
    >
    this.bus.on('dead-letter', (letter) => this.#ledger.deadLetter(letter))
  }

  /** The events whose publish has succeeded, in order. */
  get publishedEvents(): readonly Event[] {
    return this.#ledger.published
  }

  /** The events that a handler has handled, in order; once for each handler. */
  get consumedEvents(): readonly Event[] {
    return this.#ledger.consumed
  }

  /** The letters that went to the dead letters, in order. */
  get deadLetters(): readonly DeadLetter[] {
    return this.#ledger.deadLetters
  }

  /** Resolves with the first event that was published and matches, also one from before the call. */
  published(matcher: EventMatcher, limits?: WaitForOptions): Promise<Event> {
    return this.#first(`a published event`, this.#ledger.published, matcher, limits)
  }

  /** Resolves with the first event that was handled and matches, also one from before the call. */
  consumed(matcher: EventMatcher, limits?: WaitForOptions): Promise<Event> {
    return this.#first(`a consumed event`, this.#ledger.consumed, matcher, limits)
  }

  /** Resolves with the first dead letter whose event matches, also one from before the call. */
  async deadLettered(matcher: EventMatcher, limits: WaitForOptions = {}): Promise<DeadLetter> {
    const matches = isEvent(matcher)
    const { deadLetters } = this.#ledger
    return await this.#waits.until(
      () => deadLetters.find(({ event }) => event !== undefined && matches(event)),
      this.#spec('a dead letter', limits, () => deadLetters.map(({ event }) => event?.type ?? '?')),
    )
  }

  /**
   * Resolves when nothing is under way: every publish has ended, and no event waits for a handler, is with one, or waits
   * to be tried again. Time does not pass by itself: where a retry waits, move `clock`.
   *
   * @throws `TimeoutError` that says what is still under way.
   */
  async idle(limits: WaitForOptions = {}): Promise<void> {
    const { timeoutMs = DEFAULT_WAIT_MS, signal } = limits
    const end = systemClock.now() + timeoutMs
    for (;;) {
      // A turn first: what was emitted just now has not been given to anybody yet.
      await new Promise((resolve) => setImmediate(resolve))
      if (signal?.aborted === true) {
        throw new AbortedError('Waiting for an idle bus', { cause: signal.reason })
      }
      const rest = this.#underWay()
      if (rest === '') return
      if (systemClock.now() > end) throw new TimeoutError(`Not idle after ${timeoutMs} ms: ${rest}`)
    }
  }

  /** Closes the bus. */
  close(): Promise<void> {
    return this.bus.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** What is not done yet, in words. */
  #underWay(): string {
    const { publishing } = this.#ledger
    const queued = this.bus.backpressureStats().size
    const stats = this.bus.subscriptions.map((subscription) => subscription.stats())
    const waiting = stats.reduce((sum, { queue }) => sum + queue.size, 0)
    const active = stats.reduce((sum, one) => sum + one.active + one.zombies, 0)
    if (publishing + queued + waiting + active === 0) return ''
    const { pending, nextIn } = this.clock
    const timers = pending === 0 ? 'no timer' : `a timer in ${nextIn} ms`
    return `${publishing} publishing, ${queued} sent, ${waiting} queued, ${active} with handlers, ${timers}`
  }

  #first(
    what: string,
    events: readonly Event[],
    matcher: EventMatcher,
    limits: WaitForOptions = {},
  ): Promise<Event> {
    const matches = isEvent(matcher)
    const spec = this.#spec(what, limits, () => events.map(({ type }) => type))
    return this.#waits.until(() => events.find(matches), spec)
  }

  #spec(
    what: string,
    { timeoutMs = DEFAULT_WAIT_MS, signal }: WaitForOptions,
    types: () => readonly string[],
  ): WaitSpec {
    const details = (): string => {
      const list = types()
      return list.length === 0 ? 'there is none' : `there are ${list.join(', ')}`
    }
    return { what, timeoutMs, signal, details }
  }
}
