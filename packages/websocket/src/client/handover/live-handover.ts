/** The hand-over as `detach` makes it: it holds everything until somebody adopts it. */
import {
  ClosedError,
  ConfigError,
  DetachedError,
  UnsupportedError,
  type BusError,
  type CloseOptions,
  type TransportEvents,
  type TransportStatus,
} from '@bus/core'
import { closeRooms } from '../close-rooms.ts'
import type { DetachedSubscription, Handover } from './handover.ts'
import type { Possession } from './possession.ts'

/** Notices that must not be lost while nobody owns the connection. */
type Kept = {
  [K in 'undeliverable' | 'gap']: { readonly name: K; readonly notice: TransportEvents[K] }
}['undeliverable' | 'gap']

/** The most notices that are kept for the next owner. */
const MAX_KEPT = 1_000

/** Keeps what comes while nobody owns the connection. */
export class LiveHandover implements Handover {
  readonly #possession: Possession
  readonly #kept: Kept[] = []
  readonly #stops: readonly (() => void)[]
  #state: 'waiting' | 'taken' | 'closed' = 'waiting'
  #cause: BusError | undefined

  /** Made by `detach`. */
  constructor(possession: Possession) {
    this.#possession = possession
    const { notices } = possession.rooms
    this.#stops = [
      notices.on('undeliverable', (notice) => this.#keep({ name: 'undeliverable', notice })),
      notices.on('gap', (notice) => this.#keep({ name: 'gap', notice })),
    ]
    possession.rooms.onEnded = (cause) => {
      this.#cause = cause
      void this.close()
    }
    // What is sent to another thread is read property by property.
    Object.defineProperty(this, 'connection', { enumerable: true, get: refuseThread })
  }

  get status(): TransportStatus {
    return this.#possession.rooms.lifecycle.status
  }

  get subscriptions(): readonly DetachedSubscription[] {
    return this.#possession.rooms.subscriptions.parking.list().map(({ patterns, settles }) =>
      Object.freeze({
        patterns: Object.freeze([...patterns]),
        delivery: settles ? ('at-least-once' as const) : ('at-most-once' as const),
      }),
    )
  }

  async close(options: CloseOptions = {}): Promise<void> {
    if (this.#state !== 'waiting') return
    this.#state = 'closed'
    const cause = this.#cause === undefined ? {} : { cause: this.#cause }
    const error = new ClosedError('The connection that was handed over is closed', cause)
    await closeRooms(this.#possession.rooms, options, error, this.#cause)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @throws `DetachedError` when somebody has it already, `ClosedError` when it is over */
  static take(handover: LiveHandover): Possession {
    if (handover.#state === 'taken') {
      throw new DetachedError('This connection was adopted already', { outcome: 'not-sent' })
    }
    if (handover.#state === 'closed') {
      const cause = handover.#cause === undefined ? {} : { cause: handover.#cause }
      throw new ClosedError('The connection that was handed over is closed', cause)
    }
    handover.#state = 'taken'
    for (const stop of handover.#stops) stop()
    const { notices } = handover.#possession.rooms
    // Right after this call: its new owner listens by then.
    queueMicrotask(() => {
      for (const { name, notice } of handover.#kept.splice(0)) notices.emit(name, notice)
    })
    return handover.#possession
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept)
    if (this.#kept.length > MAX_KEPT) this.#kept.shift()
  }
}

/** @throws `ConfigError` for what `detach` has not given, such as a copy of it */
export function assertHandover(value: unknown): asserts value is LiveHandover {
  if (value instanceof LiveHandover) return
  const form = 'to be what `detach` has given, in the same thread'
  throw ConfigError.expected('handover', form, value)
}

function refuseThread(): never {
  throw new UnsupportedError('websocket', 'handing a connection to another thread or process')
}
