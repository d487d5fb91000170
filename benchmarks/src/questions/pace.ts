/** The pace of every publisher: in turns of the event loop, and never too far ahead of the subscribers. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ConfirmingPublisher, Publisher } from '../contenders/contender.ts'
import { Count } from '../run/count.ts'
import type { Workload } from '../workload/workload.ts'

/** Bytes published before control returns to the event loop. */
const CHUNK_BYTES = 131_072
/** Bytes under way between publisher and subscriber: enough to keep every pipe full without filling memories. */
const WINDOW_BYTES = 4_194_304
/** Confirmations that a publisher may wait for; it goes on when half of them are there. */
const MAX_UNCONFIRMED = 4_096

/** Publishes events in a row, numbered on over all calls. */
export class Pace {
  readonly #publisher: Publisher
  readonly #workload: Workload
  readonly #received: Count
  readonly #subscribers: number
  readonly #chunk: number
  readonly #window: number
  readonly #confirmed = new Count('were confirmed')
  #published = 0

  /** @param received counts the deliveries to all subscribers, of whom there may be none */
  constructor(publisher: Publisher, workload: Workload, received: Count, subscribers = 1) {
    this.#publisher = publisher
    this.#workload = workload
    this.#received = received
    this.#subscribers = subscribers
    this.#chunk = Math.max(1, Math.floor(CHUNK_BYTES / workload.meanBytes))
    this.#window = Math.max(2, Math.floor(WINDOW_BYTES / workload.meanBytes))
  }

  /** Over all calls. */
  get published(): number {
    return this.#published
  }

  /**
   * Publishes that many more as fast as the contender takes them; resolves when every subscriber has them all and, where
   * the contender confirms, each is confirmed.
   */
  async publish(count: number): Promise<void> {
    const goal = this.#published + count
    while (this.#published < goal) {
      const chunk = Math.min(this.#chunk, goal - this.#published)
      if (this.#published + chunk - this.#receivedByEach > this.#window) {
        await this.#untilReceived(this.#published - this.#window / 2)
      }
      await this.#publishChunk(chunk)
      await nextTurn()
    }
    await this.#untilReceived(goal)
    if (this.#publisher.kind === 'confirms') await this.#confirmed.until(goal)
  }

  async #publishChunk(chunk: number): Promise<void> {
    const publisher = this.#publisher
    for (let i = 0; i < chunk; i++) {
      const message = this.#workload.message(++this.#published)
      if (publisher.kind === 'confirms') {
        this.#publishConfirmed(publisher, message)
        if (this.#published - this.#confirmed.value >= MAX_UNCONFIRMED) {
          await this.#confirmed.until(this.#published - MAX_UNCONFIRMED / 2)
        }
      } else if (!publisher.emit(message)) await publisher.ready()
    }
  }

  #publishConfirmed(
    publisher: ConfirmingPublisher,
    message: ReturnType<Workload['message']>,
  ): void {
    publisher.publish(message).then(this.#onConfirmed, this.#onRefused)
  }

  readonly #onConfirmed = (): void => this.#confirmed.add(1)

  readonly #onRefused = (error: unknown): void => this.#confirmed.fail(error)

  get #receivedByEach(): number {
    return this.#subscribers === 0 ? this.#published : this.#received.value / this.#subscribers
  }

  async #untilReceived(events: number): Promise<void> {
    await this.#received.until(events * this.#subscribers)
  }
}
