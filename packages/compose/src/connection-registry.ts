/** The connection registry: live transports by an id of the application's own. */
import {
  ClosedError,
  ConfigError,
  QueueFullError,
  type CloseOptions,
  type Transport,
  type Unsubscribe,
} from '@bus/core'
import { check, checkOptions } from '@bus/core/kit'

/** The options of a `ConnectionRegistry`. */
export interface ConnectionRegistryOptions {
  /** The most transports that it holds, an integer ≥ 1; one more is refused with `QueueFullError`. @default 10_000 */
  readonly capacity?: number | undefined
}

interface Entry<T> {
  readonly transport: T
  readonly stop: Unsubscribe
}

const isId = check.string({ nonEmpty: true })
const isTransport = check.withMethods('on', 'close')

/**
 * Finds transports by id, in the order in which they came. One that closes, by whatever cause, is forgotten.
 *
 * @example
 * ```ts
 * import { ConnectionRegistry } from '@bus/compose'
 * import { createEvent } from '@bus/core'
 * import { memoryTransport } from '@bus/core/memory'
 *
 * await using connections = new ConnectionRegistry()
 * connections.register('tenant-7', memoryTransport())
 * await connections.get('tenant-7')?.publish(createEvent('hello', 1))
 * ```
 */
export class ConnectionRegistry<T extends Transport = Transport> implements AsyncDisposable {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #capacity: number
  #isOpen = true

  /** @throws `ConfigError` naming the option. */
  constructor(options: ConnectionRegistryOptions = {}) {
    checkOptions<ConnectionRegistryOptions>('', options, { capacity: check.integer({ min: 1 }) })
    this.#capacity = options.capacity ?? 10_000
  }

  get size(): number {
    return this.#entries.size
  }

  /** Takes transports again after {@link shutdown}; idempotent, and not needed for a new registry. */
  start(): void {
    this.#isOpen = true
  }

  /**
   * Adds a transport and returns it.
   *
   * @throws `ConfigError` when the id names another one or the transport is closed, `QueueFullError` when it is full, `ClosedError` after
   * `shutdown`
   */
  register(id: string, transport: T): T {
    this.#check(id, transport)
    if (this.#entries.has(id)) throw ConfigError.expected('id', 'to be free', id)
    if (this.#entries.size >= this.#capacity) {
      const message = `The registry holds ${this.#capacity} connections already`
      throw new QueueFullError(message, { outcome: 'not-sent' })
    }
    this.#set(id, transport)
    return transport
  }

  /**
   * Puts another transport in the place of one; the old one is returned, and left open.
   *
   * @throws `ConfigError` when the id names none or the transport is closed
   */
  update(id: string, transport: T): T {
    this.#check(id, transport)
    const old = this.#entries.get(id)
    if (old === undefined) throw ConfigError.expected('id', 'to name a connection', id)
    old.stop()
    this.#set(id, transport)
    return old.transport
  }

  /** Forgets a transport and returns it, still open; `undefined` when the id names none. */
  unregister(id: string): T | undefined {
    const entry = this.#entries.get(id)
    entry?.stop()
    this.#entries.delete(id)
    return entry?.transport
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.transport
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  /** Every transport: what a pool may `discover`. */
  transports(): readonly T[] {
    return [...this.#entries.values()].map(({ transport }) => transport)
  }

  *[Symbol.iterator](): IterableIterator<readonly [id: string, transport: T]> {
    for (const [id, { transport }] of this.#entries) yield [id, transport]
  }

  /** Closes every transport and takes none any more. Idempotent. */
  async shutdown(options?: CloseOptions): Promise<void> {
    this.#isOpen = false
    const transports = this.transports()
    for (const { stop } of this.#entries.values()) stop()
    this.#entries.clear()
    await Promise.all(transports.map((transport) => transport.close(options)))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  #check(id: string, transport: T): void {
    if (!this.#isOpen) throw new ClosedError('The registry is shut down')
    isId('id', id)
    isTransport('transport', transport)
    const { state } = transport.status
    if (state === 'closed') throw ConfigError.expected('transport', 'not to be closed', state)
  }

  #set(id: string, transport: T): void {
    const stop = transport.on('status', ({ status }) => {
      if (status.state === 'closed' && this.get(id) === transport) this.unregister(id)
    })
    this.#entries.set(id, { transport, stop })
  }
}
