/** The ids of the requests that wait for their answers. */
import { QueueFullError } from '@bus/core'
import { DuplicateIdError } from './errors.ts'
import { jsonrpc, type RpcId } from './messages.ts'

/** Every id once at a time, and no more than a number of them. */
export class PendingIds {
  readonly #ids = new Set<RpcId>()
  readonly #limit: number
  readonly #next: () => number = jsonrpc.ids()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#ids.size
  }

  /**
   * Takes the id that is asked for, or a fresh one.
   * @throws `DuplicateIdError`, or `QueueFullError` when too many wait
   */
  take(asked: RpcId | undefined): RpcId {
    if (asked !== undefined && this.#ids.has(asked)) throw new DuplicateIdError(asked)
    if (this.#ids.size >= this.#limit) {
      const message = `${this.#limit} requests wait for their answers already`
      throw new QueueFullError(message, { outcome: 'not-sent' })
    }
    const id = asked ?? this.#fresh()
    this.#ids.add(id)
    return id
  }

  release(id: RpcId): void {
    this.#ids.delete(id)
  }

  /** A caller may have chosen a number that is next in turn. */
  #fresh(): number {
    for (;;) {
      const id = this.#next()
      if (!this.#ids.has(id)) return id
    }
  }
}
