/** A turn: what one round of reading the sockets has set in motion is sent at its end, at once. */

/** Connections that are served before others get to read again. */
const CONNECTIONS_AT_ONCE = 512

/** Something that is served once in a turn in which it was marked. */
export interface Flushable {
  flush(turn: number): void
}

export interface FlushSchedulerOptions<T extends Flushable> {
  /** Before anybody is served: adds who is to be served before those that were marked. */
  readonly prepare: (first: Set<T>) => void
  /** After everybody was. */
  readonly finish: () => void
}

/**
 * `setImmediate` comes after every socket that had something was read, so that the acknowledgements and events of one
 * round leave in one frame per connection.
 */
export class FlushScheduler<T extends Flushable> {
  readonly #options: FlushSchedulerOptions<T>
  #marked = new Set<T>()
  #isScheduled = false
  #number = 1

  constructor(options: FlushSchedulerOptions<T>) {
    this.#options = options
  }

  /** This connection has something to send. */
  mark(connection: T): void {
    this.#marked.add(connection)
    this.schedule()
  }

  /** Somebody may have something to send. */
  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#begin)
  }

  readonly #begin = (): void => {
    this.#number++
    const connections = new Set<T>()
    this.#options.prepare(connections)
    for (const connection of this.#marked) connections.add(connection)
    this.#marked = new Set()
    this.#serve([...connections], 0)
  }

  #serve(connections: readonly T[], from: number): void {
    const to = Math.min(connections.length, from + CONNECTIONS_AT_ONCE)
    for (let i = from; i < to; i++) connections[i]?.flush(this.#number)
    if (to < connections.length) {
      setImmediate(() => this.#serve(connections, to))
      return
    }
    this.#isScheduled = false
    this.#options.finish()
    if (this.#marked.size > 0) this.schedule()
  }
}
