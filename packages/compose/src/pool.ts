/** The pool: several connections as one transport, each event over the one that is doing best. */
import {
  QueueFullError,
  telemetry,
  type BusError,
  type Event,
  type EmitOptions,
  type PublishOptions,
  type PublishReceipt,
  type Transport,
} from '@bus/core'
import { Waiters } from '@bus/core/kit'
import { CompositeTransport } from './composite-transport.ts'
import { fixedEvent } from './fixed-event.ts'
import { isFaultOfTransport, mayMove } from './may-move.ts'
import type { Member } from './member.ts'
import {
  resolvePoolOptions,
  type PoolPublishOptions,
  type ResolvedPoolOptions,
  type TransportPoolOptions,
} from './pool-options.ts'
import { NoConnectionsError } from './no-connections-error.ts'

/** One member of a pool and how fit it is. */
export interface PoolScore {
  readonly transport: Transport
  /** Its name in telemetry and health: `websocket-2`. */
  readonly name: string
  /** 0 (not ready) to 100 (idle and flawless). */
  readonly score: number
}

/**
 * Sends each event over the member that is doing best, and over the next one when that fails.
 *
 * A member that is not ready is never chosen. A publish whose event may have left is not repeated elsewhere, unless it
 * is `idempotent`. Every member takes part in every subscription; what several of them bring is delivered once.
 *
 * @example
 * ```ts
 * import { transportPool } from '@bus/compose'
 * import { createBus } from '@bus/core'
 * import { memoryTransport } from '@bus/core/memory'
 *
 * const pool = transportPool({ transports: [memoryTransport(), memoryTransport()] })
 * await using bus = createBus({ transport: pool })
 * await bus.publish('order.created', { id: 'A-1' })
 * console.log(pool.scores().map(({ name, score }) => `${name}: ${score}`))
 * ```
 */
export class TransportPool extends CompositeTransport {
  readonly #options: ResolvedPoolOptions
  /** Publishes that wait for a connection. */
  readonly #waiters: Waiters<undefined>
  /** Grows with each choice among equals. */
  #turn = 0

  /** @throws `ConfigError` naming the option. */
  constructor(options: TransportPoolOptions) {
    const resolved = resolvePoolOptions(options)
    const ownsMembers = resolved.discover === undefined
    super({ ...resolved, keepsOrder: false, ownsMembers })
    this.#options = resolved
    this.#waiters = new Waiters({
      what: 'Publishing',
      timedOut: 'No connection became ready',
      clock: resolved.clock,
    })
    this.members.set(resolved.transports)
  }

  /**
   * The member that is doing best; of equals the next in turn.
   *
   * @throws `NoConnectionsError` when none is ready.
   */
  select(): Transport {
    const member = this.#select()
    if (member === undefined) throw this.#noConnections()
    return member.transport
  }

  /** Every member and how fit it is. */
  scores(): readonly PoolScore[] {
    this.#discover()
    return this.members.list.map((member) =>
      Object.freeze({ transport: member.transport, name: member.name, score: member.score() ?? 0 }),
    )
  }

  async publish(event: Event, options: PoolPublishOptions = {}): Promise<PublishReceipt> {
    const refusal = this.refusal()
    if (refusal !== undefined) throw refusal
    const fixed = fixedEvent(event)
    this.#discover()
    this.start()
    this.feeds.published(fixed)
    return await this.pending.run(
      event.id,
      () => this.#publish(fixed, options),
      (notice) => this.notify('undeliverable', notice),
    )
  }

  emit(event: Event, options?: EmitOptions): boolean {
    const refusal = this.refusal()
    this.#discover()
    this.start()
    // Without one that is ready its queue has to do.
    const member = this.#select() ?? this.members.list.find((one) => canBecomeReady(one))
    if (refusal === undefined && member !== undefined) {
      this.feeds.published(event)
      return member.transport.emit(event, options)
    }
    const error = refusal ?? this.#noConnections()
    const reason = error.code === 'closed' ? 'closed' : 'rejected'
    this.notify('undeliverable', { reason, direction: 'outbound', error, attempts: 0, event })
    return false
  }

  protected changed(): void {
    const refusal = this.refusal()
    if (refusal?.code === 'closed') this.#waiters.rejectAll(refusal)
    else if (this.members.list.some(({ isReady }) => isReady)) this.#waiters.admitAll()
    else if (!this.members.list.some(canBecomeReady)) this.#waiters.rejectAll(this.#noConnections())
  }

  async #publish(event: Event, options: PoolPublishOptions): Promise<PublishReceipt> {
    const { maxAttempts, idempotent, timeoutMs = Infinity, ...wait } = options
    const attempts = maxAttempts ?? this.#options.maxAttempts
    const { clock } = this.#options
    const deadline = clock.now() + timeoutMs
    const tried = new Set<Member>()
    let failed: { readonly member: Member; readonly error: unknown } | undefined
    for (;;) {
      let member = this.#select(tried)
      if (member === undefined) {
        if (failed !== undefined) throw failed.error
        member = await this.#await(deadline - clock.now(), wait.signal)
      }
      if (failed !== undefined) this.#tellFailover(failed.member, tried.size, failed.error)
      try {
        return await this.#attempt(member, event, wait, deadline - clock.now())
      } catch (error) {
        if (isFaultOfTransport(error)) member.failed()
        tried.add(member)
        failed = { member, error }
        const isLast = tried.size >= attempts || clock.now() >= deadline
        if (isLast || !mayMove(error, idempotent ?? this.#options.idempotent)) throw error
      }
    }
  }

  async #attempt(
    member: Member,
    event: Event,
    wait: Omit<PublishOptions, 'timeoutMs'>,
    leftMs: number,
  ): Promise<PublishReceipt> {
    const { attemptTimeoutMs = Infinity, clock } = this.#options
    const timeoutMs = Math.max(Math.min(attemptTimeoutMs, leftMs), 0)
    const since = clock.now()
    const limit = timeoutMs === Infinity ? {} : { timeoutMs }
    const receipt = await member.transport.publish(event, { ...wait, ...limit })
    member.succeeded(clock.now() - since)
    return receipt
  }

  /** A member that is ready, as soon as there is one. */
  async #await(timeoutMs: number, signal: AbortSignal | undefined): Promise<Member> {
    for (;;) {
      const isHopeless = !this.members.list.some(canBecomeReady)
      if (isHopeless || this.#options.whenDisconnected === 'reject') throw this.#noConnections()
      const { maxWaiting } = this.#options
      if (this.#waiters.size >= maxWaiting) {
        const message = `${maxWaiting} publishes wait for a connection already`
        throw new QueueFullError(message, { outcome: 'not-sent' })
      }
      await this.#waiters.join(undefined, { timeoutMs, signal })
      const member = this.#select()
      if (member !== undefined) return member
    }
  }

  #select(tried?: ReadonlySet<Member>): Member | undefined {
    this.#discover()
    let best: Member[] = []
    let highest = -1
    for (const member of this.members.list) {
      if (tried?.has(member) === true) continue
      const score = member.score() ?? -1
      if (score > highest) [best, highest] = [[member], score]
      else if (score === highest && score >= 0) best.push(member)
    }
    if (best.length <= 1) return best[0]
    return best[this.#turn++ % best.length]
  }

  #discover(): void {
    const { discover } = this.#options
    if (discover === undefined || this.refusal() !== undefined) return
    try {
      this.members.set(discover())
    } catch (error) {
      const thrown = error instanceof Error ? error : new Error(String(error))
      this.notify('error', { kind: 'listener', error: thrown })
    }
  }

  #tellFailover(member: Member, attempt: number, error: unknown): void {
    const failovers = telemetry.channel('bus.pool.failover')
    if (!failovers.hasSubscribers) return
    failovers.publish({ pool: this.name, member: member.name, attempt, error })
  }

  #noConnections(): BusError {
    const count = this.members.list.length
    const message = count === 0 ? 'no member' : `none of its ${count} members is ready`
    return new NoConnectionsError(`The ${this.name} has no connection: ${message}`, {
      outcome: 'not-sent',
    })
  }
}

function canBecomeReady({ transport }: Member): boolean {
  const { state } = transport.status
  return state !== 'closed' && state !== 'draining'
}

/** Makes a {@link TransportPool}. @throws `ConfigError` naming the option. */
export function transportPool(options: TransportPoolOptions): TransportPool {
  return new TransportPool(options)
}
