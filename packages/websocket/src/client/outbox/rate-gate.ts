/** The gate between outbox and wire: an event passes when the rate limit has tokens for it. */
import {
  RateLimitError,
  type BusError,
  type Clock,
  type Event,
  type Pressure,
  type RateLimitNotice,
  type UndeliverableReason,
} from '@bus/core'
import { pressureOf } from '@bus/core/kit'
import {
  RateLimiter,
  type AcquireOptions,
  type RateTicket,
  type ResolvedRateLimit,
} from '@bus/rate-limit'
import type { ResolvedOptions } from '../options/options.ts'
import type { Outbox, OutboxEntry } from './outbox.ts'

/** The rate limit of a transport, over all its links. */
export interface TransportRateLimit {
  /** Tokens that are there now. */
  readonly tokens: number
  /** Events, and calls of `acquire`, that wait for tokens. */
  readonly waiting: number
  /** How close it is to refusing: how many of those that may wait do, or, with `onLimit: 'reject'`, how empty the bucket is. */
  readonly pressure: Pressure
  /** Milliseconds after which an event that costs one token, published now, would be sent; 0: at once. */
  readonly suggestedDelayMs: number
  /**
   * Resolves when this many tokens were taken: for messages that the same server counts and that are no events.
   * @throws `RateLimitError` at once, when it may not wait; `AbortedError`, `ClosedError`
   */
  acquire(cost?: number, options?: AcquireOptions): Promise<void>
  /** Takes this many tokens if they are there and nobody waits. @throws `RateLimitError` for more than the capacity */
  tryAcquire(cost?: number): boolean
}

/** What the gate needs of the other rooms. */
export interface RateGatePorts {
  /** The outbox, which is made after the gate. */
  outbox(): Outbox
  /** Something may pass that could not before. */
  wake(): void
  told(notice: RateLimitNotice): void
  /** What an event costs could not be told. */
  failed(error: RateLimitError): void
}

/**
 * What waits for tokens stays in the outbox, which is the only queue. Only events pass here: pings, acknowledgements,
 * and what makes a link ready cost nothing and never wait.
 */
export class RateGate implements TransportRateLimit {
  /** What the outbox asks for the order of events; absent where they go as they came. */
  readonly rank: ((entry: OutboxEntry) => number) | undefined
  readonly #limiter: RateLimiter<Event>
  readonly #ports: RateGatePorts
  readonly #onLimit: 'queue' | 'reject'
  readonly #room: number
  /** The ticket that was asked for last: of the outbox, one at a time waits for tokens. */
  #asked: RateTicket | undefined

  /** @param capacity - of the outbox, which bounds what waits where `maxQueue` does not */
  constructor(
    options: ResolvedRateLimit<Event>,
    capacity: number,
    clock: Clock,
    ports: RateGatePorts,
  ) {
    const { cost, priority, ...rest } = options
    this.#limiter = new RateLimiter<Event>({
      ...rest,
      ...(cost === undefined ? {} : { cost }),
      ...(priority === undefined ? {} : { priority }),
      clock,
    })
    this.#ports = ports
    this.#onLimit = options.onLimit
    this.#room = Math.min(options.maxQueue, capacity)
    this.rank = priority === undefined ? undefined : (entry) => entry.ticket?.priority ?? 0
  }

  get tokens(): number {
    return this.#limiter.tokens
  }

  get waiting(): number {
    return this.#limiter.waiting
  }

  get pressure(): Pressure {
    if (this.#onLimit === 'reject') return this.#limiter.pressure
    return pressureOf(this.waiting / this.#room)
  }

  get suggestedDelayMs(): number {
    return this.#limiter.suggestedDelayMs
  }

  acquire(cost?: number, options?: AcquireOptions): Promise<void> {
    return this.#limiter.acquire(cost, options)
  }

  tryAcquire(cost?: number): boolean {
    return this.#limiter.tryAcquire(cost)
  }

  /** Gives a new entry its ticket, or says why it gets none. */
  readonly admit = (entry: OutboxEntry): BusError | undefined => {
    const { event } = entry
    try {
      const ticket = this.#limiter.admit(event)
      entry.ticket = ticket
      const { cost, expectedMs, isQueued } = ticket
      if (isQueued) this.#tell({ action: 'queued', event, cost, retryAfterMs: expectedMs })
      return undefined
    } catch (error) {
      if (!(error instanceof RateLimitError)) return error as BusError
      const { cost, reason, retryAfterMs } = error
      if (reason === 'invalid-cost') this.#ports.failed(error)
      this.#tell({ action: 'rejected', event, cost, retryAfterMs })
      return error
    }
  }

  /** The next entry of the outbox if it is paid for. */
  peek(): OutboxEntry | undefined {
    const entry = this.#ports.outbox().peek()
    return entry !== undefined && this.mayWrite(entry) ? entry : undefined
  }

  /** The next entry of the outbox, which is under way now, if it is paid for. */
  next(): OutboxEntry | undefined {
    const entry = this.peek()
    if (entry === undefined) return undefined
    this.#spend(entry)
    return this.#ports.outbox().next()
  }

  /** Whether the entry is paid for; otherwise it waits for that, and the writer is woken then. */
  mayWrite({ ticket }: OutboxEntry): boolean {
    if (ticket === undefined) return true
    if (this.#asked !== ticket) this.#asked?.yield()
    this.#asked = ticket
    return ticket.redeem(this.#wake)
  }

  /** An entry is written again, for which it has paid again. */
  again(entry: OutboxEntry): void {
    this.#spend(entry)
    this.#ports.outbox().again(entry)
  }

  sent(): void {
    this.#ports.outbox().sent()
  }

  leave(): void {
    this.#ports.outbox().leave()
  }

  linkLost(): void {
    this.#ports.outbox().linkLost()
  }

  giveUp(entry: OutboxEntry, error: BusError, reason: UndeliverableReason): void {
    this.#ports.outbox().giveUp(entry, error, reason)
  }

  /** Leaves no timer, and nobody who waits. */
  close(error: BusError): void {
    this.#limiter.close(error)
  }

  #spend({ ticket }: OutboxEntry): void {
    ticket?.spend()
    this.#asked = undefined
  }

  readonly #wake = (): void => this.#ports.wake()

  /** After the entry has its place, so that what a listener publishes comes behind it. */
  #tell(notice: RateLimitNotice): void {
    queueMicrotask(() => this.#ports.told(notice))
  }
}

/** The gate of a transport with these options; `undefined` when it has no limit. */
export function rateGateOf(
  { rateLimit, queue, clock }: Pick<ResolvedOptions, 'rateLimit' | 'queue' | 'clock'>,
  ports: RateGatePorts,
): RateGate | undefined {
  if (rateLimit === undefined) return undefined
  return new RateGate(rateLimit, queue.capacity, clock, ports)
}
