/** Drives a bounded queue and its model with the same steps and notes what each shows. */
import { ClosedError, type BackpressureStrategy, type QueueStats } from '@bus/core'
import { BoundedQueue } from '../src/queue/bounded-queue.ts'
import { QueueModel, type Item } from './queue-model.ts'

/** One step of a run. */
export type Op =
  | { readonly op: 'offer' | 'push'; readonly bytes: number }
  | { readonly op: 'take' | 'reserve' | 'putBack' | 'commit' | 'release' | 'close' }
  | { readonly op: 'remove' | 'abort'; readonly pick: number }

/** How the errors of `push` read as answers of `offer`. */
const ANSWERS: Readonly<Record<string, string>> = { 'queue-full': 'rejected' }

const ascending = (a: number, b: number): number => a - b

/** A run of steps; afterwards `actual` must equal `expected`. */
export class QueueRun {
  readonly actual: unknown[] = []
  readonly expected: unknown[] = []
  readonly model: QueueModel
  readonly #queue: BoundedQueue<Item>
  /** Ids of what the hook or close gave up. */
  readonly #givenUp: number[] = []
  readonly #items: Item[] = []
  readonly #aborts = new Map<Item, AbortController>()
  readonly #ends = new Map<number, string[]>()
  readonly #pending: Promise<void>[] = []

  constructor(capacity: number, maxBytes: number, strategy: BackpressureStrategy) {
    this.model = new QueueModel(capacity, maxBytes, strategy)
    this.#queue = new BoundedQueue<Item>(
      { capacity, maxBytes, strategy },
      { sizeOf: (item) => item.bytes, onDrop: (item) => this.#givenUp.push(item.id) },
    )
  }

  stats(): QueueStats {
    return this.#queue.stats()
  }

  step(step: Op): void {
    this.#apply(step)
    this.#observe()
  }

  /** Closes the queue and waits until every push has settled. */
  async end(): Promise<void> {
    this.step({ op: 'close' })
    await Promise.all(this.#pending)
    this.#note(
      [...this.#ends].toSorted(([a], [b]) => a - b),
      [...this.model.ends].toSorted(([a], [b]) => a - b).map(([id, how]) => [id, [how]]),
    )
  }

  #note(actual: unknown, expected: unknown): void {
    this.actual.push(actual)
    this.expected.push(expected)
  }

  #apply(step: Op): void {
    const queue = this.#queue
    const { model } = this
    switch (step.op) {
      case 'offer': {
        const item = this.#newItem(step.bytes)
        return this.#note(queue.offer(item), model.offer(item))
      }
      case 'push':
        return this.#push(step.bytes)
      case 'take':
        return this.#note(queue.take(), model.take())
      case 'commit':
        return this.#note(queue.commit(), model.commit())
      case 'reserve':
        return this.#note(queue.reserve(), model.reserve())
      case 'putBack':
        return this.#note(queue.putBack(), model.putBack())
      case 'release':
        return this.#note(queue.release(), model.release())
      case 'close': {
        const left = queue.close(new ClosedError('closed')).map((item) => item.id)
        this.#givenUp.push(...left)
        return this.#note(left, model.close())
      }
      case 'remove':
      case 'abort':
        return this.#pick(step.op, step.pick)
    }
  }

  #newItem(bytes: number): Item {
    const item = { id: this.#items.length, bytes }
    this.#items.push(item)
    return item
  }

  #push(bytes: number): void {
    const item = this.#newItem(bytes)
    const controller = new AbortController()
    this.#aborts.set(item, controller)
    const ends: string[] = []
    this.#ends.set(item.id, ends)
    this.model.push(item)
    const pushed = this.#queue.push(item, { signal: controller.signal })
    this.#pending.push(
      pushed.then(
        () => void ends.push('accepted'),
        (error: { code: string }) => void ends.push(ANSWERS[error.code] ?? error.code),
      ),
    )
  }

  #pick(op: 'remove' | 'abort', pick: number): void {
    const item = this.#items[pick % Math.max(this.#items.length, 1)]
    if (item === undefined) return
    if (op === 'remove') this.#note(this.#queue.remove(item), this.model.remove(item))
    else {
      this.model.abort(item)
      this.#aborts.get(item)?.abort()
    }
  }

  #observe(): void {
    const { received, sent, dropped, rejected, size, bytes, waiting } = this.#queue.stats()
    const givenUp = this.#givenUp.toSorted(ascending)
    const reserved = this.#queue.reserved
    const items = [...this.#queue]
    this.#note(
      { received, sent, dropped, rejected, size, bytes, waiting, reserved, givenUp, items },
      this.model.view(),
    )
  }
}
