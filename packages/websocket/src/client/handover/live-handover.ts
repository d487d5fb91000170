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
  type Delivery,
} from '@bus/core'
import { check, checkOptions } from '@bus/core/kit'
import { closeRooms, Rooms } from '../rooms.ts'
import { plainJson } from '../../protocol/plain-json.ts'
import {
  resolveOptions,
  type ResolvedOptions,
  type WebSocketTransportOptions,
} from '../options/options.ts'
import { attachHandlers, withHandlers } from '../handler-set.ts'

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

/** Of one's own, or what another handle had. @throws `ConfigError`, or why it cannot be taken over */
export function possessionOf(options: WebSocketTransportOptions | Handover): Possession {
  return options instanceof LiveHandover
    ? LiveHandover.take(options)
    : newPossession(options as WebSocketTransportOptions)
}

/** At once: no frame and no call can come in between. */
export function giveAway(possession: Possession): {
  readonly handover: Handover
  /** What is left to the handle. */
  readonly left: Rooms
} {
  const why = new DetachedError('The connection was given to another owner', {
    outcome: 'not-sent',
  })
  leave(possession.rooms, why)
  return { handover: new LiveHandover(possession), left: emptyRooms(possession.options, why) }
}

/** Rooms in which nobody ever was: what is left to a handle that has given its own away. */
function emptyRooms(options: ResolvedOptions, why: DetachedError): Rooms {
  const { capabilities } = options.protocol
  const rooms = new Rooms(
    Object.freeze({
      ...options,
      // Nothing of what went along may be used, let alone closed, from here.
      protocol: { ...plainJson(), capabilities },
      telemetry: { ...options.telemetry, id: undefined },
      watch: undefined,
      metrics: undefined,
      handlers: undefined,
      admission: undefined,
    }),
  )
  // There is nothing that it could have to wait for.
  void closeRooms(rooms, {}, why, why)
  return rooms
}

/** The owner goes: what it waits for ends, and what it subscribed to is parked. */
function leave(rooms: Rooms, why: DetachedError): void {
  rooms.observation.handover('detached')
  rooms.subscriptions.park(why)
  rooms.tap.release()
  rooms.readiness.refuse(why)
  rooms.isReadyAwaited = false
}

/** One subscription of the owner that has gone. */
export interface DetachedSubscription {
  readonly patterns: readonly string[]
  /** How it was delivered. */
  readonly delivery: Delivery
}

/**
 * What `detach` gives: the connection lives on, and waits for its next owner. Adopt it or close it.
 *
 * It works inside one thread only: a socket cannot be sent to another.
 */
export interface Handover extends AsyncDisposable {
  /** That of the connection. */
  readonly status: TransportStatus
  /** What the next owner should subscribe to, to get what has come meanwhile. */
  readonly subscriptions: readonly DetachedSubscription[]
  /** Ends the connection instead of handing it on. Idempotent; without effect once it was adopted. */
  close(options?: CloseOptions): Promise<void>
}

export interface Possession {
  readonly options: ResolvedOptions
  readonly rooms: Rooms
}

/** @throws `ConfigError` */
function newPossession(given: WebSocketTransportOptions): Possession {
  const options = resolveOptions(given)
  const rooms = new Rooms(withHandlers(options))
  attachHandlers(options.handlers, rooms)
  return { options, rooms }
}

/** How a connection is taken over. */
export interface AdoptOptions {
  /**
   * Milliseconds for subscribing to what the last owner was subscribed to, with the same patterns. What is not claimed
   * by then is unsubscribed, and the events that came for it are told as `undeliverable`. @default 10_000
   */
  readonly claimWithinMs?: number
}

/** @throws `ConfigError` */
export function claimTimeOf(options: AdoptOptions): number {
  checkOptions<AdoptOptions>('', options, { claimWithinMs: check.durationMs({ min: 0 }) })
  return options.claimWithinMs ?? 10_000
}
