/** The combined transport: an event over all of several transports, or over the first that takes it, with one to fall back upon. */
import {
  AttemptsExhaustedError,
  outcomeOf,
  type Clock,
  type Outcome,
  type Event,
  type EmitOptions,
  type PublishOptions,
  type PublishReceipt,
  type Transport,
} from '@bus/core'
import { check, checkOptions, systemClock, type Shape } from '@bus/core/kit'
import { CompositeTransport } from './composite-transport.ts'
import { fixedEvent } from './fixed-event.ts'
import { isFaultOfTransport, mayMove } from './may-move.ts'
import type { Member } from './member.ts'

/** The options of `combinedTransport`. */
export interface CombinedTransportOptions {
  /** One or more, the preferred one first. They belong to the combination from now on. */
  readonly transports: readonly Transport[]
  /**
   * - `first`: the first that is ready takes the event; when it fails the next one does, in order. Without one that is ready the event
   *   goes to the fallback, or waits with the first of them that may become so.
   * - `all`: every one takes it; the publish succeeds when all have.
   * @default 'first'
   */
  readonly publish?: 'first' | 'all' | undefined
  /** Takes the events that none of the others has taken. @default none */
  readonly fallback?: Transport | undefined
  /**
   * An event may be given to the next one although it is unknown whether it arrived; its consumer has to know a
   * duplicate by its id. @default false
   */
  readonly idempotent?: boolean | undefined
  /** Events that each subscription remembers, to deliver once what comes over several of them. @default 8_192 */
  readonly dedupeWindow?: number | undefined
  /** Its name in errors. @default 'combined' */
  readonly name?: string | undefined
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock | undefined
}

const METHODS = ['connect', 'publish', 'subscribe', 'drain', 'close'] as const
const SHAPE: Shape<CombinedTransportOptions> = Object.freeze({
  transports: check.required((path: string, value: unknown) => {
    check.arrayOf(check.withMethods(...METHODS))(path, value)
    check.where('to hold at least one', (list) => (list as readonly unknown[]).length > 0)(
      path,
      value,
    )
  }),
  publish: check.oneOf(['first', 'all']),
  fallback: check.withMethods(...METHODS),
  idempotent: check.boolean,
  dedupeWindow: check.integer({ min: 1 }),
  name: check.string({ nonEmpty: true }),
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

/**
 * Sends events over several transports, and subscribes with all of them; what more than one of them brings is delivered once.
 *
 * A publish that no transport took rejects with `AttemptsExhaustedError`, whose `cause` is the `AggregateError` of all.
 */
export class CombinedTransport extends CompositeTransport {
  readonly #sendsToAll: boolean
  readonly #idempotent: boolean
  readonly #fallback: Transport | undefined

  /** @throws `ConfigError` naming the option. */
  constructor(options: CombinedTransportOptions) {
    checkOptions('', options, SHAPE)
    const { transports, publish = 'first', fallback, idempotent = false } = options
    const { name = 'combined', clock = systemClock, dedupeWindow = 8_192 } = options
    const sendsToAll = publish === 'all'
    const fixed = { errorDecayMs: 0, ownsMembers: true, keepsOrder: sendsToAll }
    super({ ...fixed, name, clock, dedupeWindow })
    this.#sendsToAll = sendsToAll
    this.#idempotent = idempotent
    this.#fallback = fallback
    this.members.set(fallback === undefined ? transports : [...transports, fallback])
  }

  async publish(event: Event, options: PublishOptions = {}): Promise<PublishReceipt> {
    const refusal = this.refusal()
    if (refusal !== undefined) throw refusal
    const fixed = fixedEvent(event)
    this.start()
    this.feeds.published(fixed)
    return await this.pending.run(
      event.id,
      () => (this.#sendsToAll ? this.#toAll(fixed, options) : this.#toFirst(fixed, options)),
      (notice) => this.notify('undeliverable', notice),
    )
  }

  emit(event: Event, options?: EmitOptions): boolean {
    const error = this.refusal()
    if (error !== undefined) {
      const reason = error.code === 'closed' ? 'closed' : 'rejected'
      this.notify('undeliverable', { reason, direction: 'outbound', error, attempts: 0, event })
      return false
    }
    this.start()
    this.feeds.published(event)
    const chosen = this.#sendsToAll ? this.#others : this.#inTurn().slice(0, 1)
    const answers = chosen.map(({ transport }) => transport.emit(event, options))
    return answers.every((hasRoom) => hasRoom)
  }

  protected changed(): void {}

  /** All but the fallback. */
  get #others(): readonly Member[] {
    return this.members.list.filter(({ transport }) => transport !== this.#fallback)
  }

  /** Who is asked, one after the other. */
  #inTurn(): readonly Member[] {
    const others = this.#others
    const ready = others.filter(({ isReady }) => isReady)
    const fallback = this.members.list.filter(({ transport }) => transport === this.#fallback)
    if (ready.length > 0 || fallback.length > 0) return [...ready, ...fallback]
    const hopeful = others.find(({ transport }) => transport.status.state !== 'closed')
    return [hopeful ?? others[0]].flatMap((member) => member ?? [])
  }

  async #toFirst(event: Event, options: PublishOptions): Promise<PublishReceipt> {
    const { timeoutMs = Infinity, ...wait } = options
    const { clock } = this.init
    const deadline = clock.now() + timeoutMs
    const errors: unknown[] = []
    for (const { transport } of this.#inTurn()) {
      const leftMs = Math.max(deadline - clock.now(), 0)
      try {
        const limit = timeoutMs === Infinity ? {} : { timeoutMs: leftMs }
        return await transport.publish(event, { ...wait, ...limit })
      } catch (error) {
        errors.push(error)
        if (!mayMove(error, this.#idempotent)) break
      }
    }
    // What is wrong with the event itself needs no list.
    if (errors.length === 1 && !mayMove(errors[0], true)) throw errors[0]
    throw failure(event, errors)
  }

  async #toAll(event: Event, options: PublishOptions): Promise<PublishReceipt> {
    const others = this.#others
    const results = await Promise.allSettled(
      others.map(({ transport }) => transport.publish(event, options)),
    )
    const errors: unknown[] = results.flatMap((r) => (r.status === 'rejected' ? [r.reason] : []))
    const receipts = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []))
    if (errors.length === 0) {
      const isConfirmed = receipts.every(({ status }) => status === 'confirmed')
      const attempts = Math.max(...receipts.map((receipt) => receipt.attempts))
      return { id: event.id, status: isConfirmed ? 'confirmed' : 'sent', attempts }
    }
    const isFaultOfCall = receipts.length === 0 && !errors.some(isFaultOfTransport)
    // What is wrong with the event itself needs no list; where it may have arrived counts.
    if (isFaultOfCall) throw errors.find((error) => outcomeOf(error) === 'unknown') ?? errors[0]
    const isMovable = receipts.length === 0 && errors.every((e) => mayMove(e, this.#idempotent))
    if (isMovable && this.#fallback !== undefined) {
      try {
        return await this.#fallback.publish(event, options)
      } catch (error) {
        errors.push(error)
      }
    }
    throw failure(event, errors, receipts.length > 0)
  }
}

/** @param isTaken - some transport has it: publishing it again could duplicate it */
function failure(
  { id }: Event,
  errors: readonly unknown[],
  isTaken: boolean = false,
): AttemptsExhaustedError {
  const outcomes = new Set<Outcome>(errors.map(outcomeOf))
  if (isTaken) outcomes.add('unknown')
  const [outcome = 'not-sent'] = outcomes.size === 1 ? outcomes : (['unknown'] as const)
  const cause = new AggregateError(errors, `${errors.length} transports failed`)
  const message = isTaken
    ? `Not every transport took the event ${id}`
    : `No transport took the event ${id}`
  return new AttemptsExhaustedError(message, { cause, outcome })
}

/**
 * Makes a {@link CombinedTransport}.
 *
 * @example
 * ```ts
 * import { combinedTransport } from '@bus/compose'
 * import { createBus } from '@bus/core'
 * import { memoryTransport } from '@bus/core/memory'
 *
 * const transport = combinedTransport({
 *   transports: [memoryTransport(), memoryTransport()],
 *   publish: 'all',
 *   fallback: memoryTransport(),
 * })
 * await using bus = createBus({ transport })
 * ```
 *
 * @throws `ConfigError` naming the option.
 */
export function combinedTransport(options: CombinedTransportOptions): CombinedTransport {
  return new CombinedTransport(options)
}
