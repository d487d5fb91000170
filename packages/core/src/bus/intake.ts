/** Where a subscription's events wait for its handler, and how it tells the transport to hold on. */
import Denque from 'denque'
import { DroppedError, QueueFullError, TooLargeError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import { BoundedQueue } from '../queue/bounded-queue.ts'
import type { QueueOptions, QueueStats } from '../queue/queue-options.ts'

/** An event that waits, with the transport's name for this delivery. */
export interface Delivery {
  readonly event: Event
  readonly token: number
}

/** What the owner of an intake is told. */
export interface IntakeOwner {
  /** The queue's strategy dropped the event. */
  onDrop(delivery: Delivery, error: Error): void
  onLevel(level: 'high' | 'normal', fillRatio: number): void
  /** There is room again after {@link Intake.isHolding}. */
  onRoom(): void
}

/** Below this fill the transport may go on. Half, so that it gets going before the queue runs dry. */
const RESUME_AT = 0.5

/**
 * A bounded queue that never loses an event to a transport which delivers although it was told to hold on:
 * with strategy `block` such an event waits behind the queue, in order. The overflow is as large as the
 * transport's disobedience; one that keeps to the contract never uses it.
 */
export class Intake {
  readonly #queue: BoundedQueue<Delivery>
  readonly #overflow = new Denque<Delivery>()
  readonly #owner: IntakeOwner
  readonly #blocks: boolean
  readonly #lowWaterMark: number | undefined
  #isHolding = false

  /** @param lowWaterMark - events that may wait when the transport goes on, instead of the usual fill */
  constructor(options: Required<QueueOptions>, owner: IntakeOwner, lowWaterMark?: number) {
    this.#owner = owner
    this.#lowWaterMark = lowWaterMark
    this.#blocks = options.strategy === 'block'
    this.#queue = new BoundedQueue<Delivery>(options, {
      // Measuring costs a serialisation, so only where a limit was asked for.
      ...(options.maxBytes === Infinity ? {} : { sizeOf: sizeOfDelivery }),
      onDrop: (delivery) => owner.onDrop(delivery, dropped(options.strategy)),
      onLevel: (level, fillRatio) => owner.onLevel(level, fillRatio),
    })
  }

  /** How many wait. */
  get size(): number {
    return this.#queue.size + this.#overflow.length
  }

  /** With what waits behind the queue: its size is then above its capacity. */
  stats(): QueueStats {
    const stats = this.#queue.stats()
    const behind = this.#overflow.length
    if (behind === 0) return stats
    const size = stats.size + behind
    const fillRatio = Math.max(stats.fillRatio, size / stats.capacity)
    return Object.freeze({ ...stats, received: stats.received + behind, size, fillRatio })
  }

  /** Whether the transport is to hold on until `onRoom`. */
  get isHolding(): boolean {
    return this.#isHolding
  }

  /** Takes an event in. */
  add(delivery: Delivery): void {
    if (this.#overflow.length > 0 || !this.#offer(delivery)) this.#overflow.push(delivery)
    if (this.#blocks && !this.#queue.hasRoom) this.#isHolding = true
  }

  /** The oldest leaves. Call {@link relieve} after it was put where it belongs. */
  take(): Delivery | undefined {
    const delivery = this.#queue.take()
    let next = this.#overflow.peekFront()
    while (next !== undefined && this.#offer(next)) {
      this.#overflow.shift()
      next = this.#overflow.peekFront()
    }
    return delivery
  }

  /** Lets the transport go on, if it was held and the queue has fallen far enough. */
  relieve(): void {
    if (!this.#isHolding || this.#overflow.length > 0) return
    const isLow =
      this.#lowWaterMark === undefined
        ? this.#queue.fillRatio <= RESUME_AT
        : this.#queue.size <= this.#lowWaterMark
    if (!isLow || !this.#queue.hasRoom) return
    this.#isHolding = false
    this.#owner.onRoom()
  }

  /** Ends the queue and returns what was left, oldest first. */
  close(error: Error): Delivery[] {
    const left = [...this.#queue.close(error), ...this.#overflow.toArray()]
    this.#overflow.clear()
    return left
  }

  /** `false`: full, and nothing was decided. */
  #offer(delivery: Delivery): boolean {
    const result = this.#queue.offer(delivery)
    if (result === 'full') return false
    if (result === 'rejected') {
      this.#owner.onDrop(delivery, new QueueFullError('The queue of the subscription is full'))
    } else if (result === 'too-large') {
      const { maxBytes } = this.#queue.stats()
      const size = sizeOfDelivery(delivery)
      this.#owner.onDrop(delivery, new TooLargeError('The event', size, maxBytes))
    }
    return true
  }
}

function dropped(strategy: string): DroppedError {
  return new DroppedError(`Given up by the queue of the subscription (${strategy})`)
}

function sizeOfDelivery({ event }: Delivery): number {
  if (event.payload instanceof Uint8Array) return event.payload.byteLength
  try {
    const text = JSON.stringify(event.payload) as string | undefined
    return text === undefined ? 0 : Buffer.byteLength(text)
  } catch {
    // Not JSON (a cycle, a BigInt): it did not come over a wire, and its size is not known.
    return 0
  }
}
