/** Publishes that are under way over several transports: which events they are of, and what must not be told of them yet. */
import type { TransportEvents, Undeliverable } from '@bus/core'

/** What one transport gives up may still be sent by another. */
export class UnderWay {
  /** By id: the last notice that a transport dropped the event. */
  readonly #events = new Map<string, Undeliverable | undefined>()
  #waiters: (() => void)[] = []
  #count = 0

  /** Resolves when nothing is under way. */
  whenIdle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** The ids of those that are. */
  ids(): readonly string[] {
    return [...this.#events.keys()]
  }

  /** Runs a publish; `lost` gets the notice that was kept, should it fail. */
  async run<T>(
    id: string,
    publish: () => Promise<T>,
    lost: (notice: Undeliverable) => void,
  ): Promise<T> {
    this.#count++
    this.#events.set(id, undefined)
    try {
      return await publish()
    } catch (error) {
      const notice = this.#events.get(id)
      if (notice !== undefined) lost(notice)
      throw error
    } finally {
      this.#events.delete(id)
      this.#count--
      if (this.#count === 0) for (const resolve of this.#waiters.splice(0)) resolve()
    }
  }

  /** Keeps back that an event was given up, as long as its publish is under way. */
  keeps<K extends keyof TransportEvents>(name: K, notice: TransportEvents[K]): boolean {
    if (name !== 'undeliverable') return false
    const lost = notice as Undeliverable
    const id = lost.event?.id
    if (id === undefined || lost.direction !== 'outbound' || !this.#events.has(id)) return false
    this.#events.set(id, lost)
    return true
  }
}
