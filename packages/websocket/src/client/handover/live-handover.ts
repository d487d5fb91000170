/** The hand-over as `detach` makes it: it owns the client until another transport adopts it. */

import {
  ClosedError,
  ConfigError,
  DetachedError,
  UnsupportedError,
  type CloseOptions,
  type TransportEvents,
  type TransportStatus,
} from '@bus/core'
import { check, checkOptions } from '@bus/core/kit'
import type { Client, ClientOwner } from '../client.ts'
import type { ResolvedOptions } from '../options/options.ts'
import type { DetachedSubscription } from '../subscriptions/detached-subscriptions.ts'

/** Events of the client that must not be lost while it has no transport. */
type Kept = {
  [K in 'undeliverable' | 'gap']: { readonly name: K; readonly event: TransportEvents[K] }
}['undeliverable' | 'gap']

/** The most events that are kept for the next owner. */
const MAX_KEPT = 1_000

/** What a hand-over gives to the transport that adopts it. */
export interface Possession {
  readonly client: Client
  /** As they were given to the transport that made the client. */
  readonly options: ResolvedOptions
}

/** Owns the client while no transport does. */
export class LiveHandover implements Handover, ClientOwner {
  readonly #possession: Possession
  readonly #kept: Kept[] = []
  #isTaken = false

  /** Made by `detach`. */
  constructor(possession: Possession) {
    this.#possession = possession
    // What is sent to another thread is read property by property.
    Object.defineProperty(this, 'connection', { enumerable: true, get: refuseThread })
  }

  get status(): TransportStatus {
    return this.#possession.client.status
  }

  get subscriptions(): readonly DetachedSubscription[] {
    return this.#possession.client.detachedSubscriptions
  }

  async close(options: CloseOptions = {}): Promise<void> {
    if (!this.#isTaken) await this.#possession.client.close(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  emit<K extends keyof TransportEvents>(name: K, event: TransportEvents[K]): void {
    if (name !== 'undeliverable' && name !== 'gap') return
    this.#kept.push({ name, event } as Kept)
    if (this.#kept.length > MAX_KEPT) this.#kept.shift()
  }

  clear(): void {
    this.#kept.length = 0
  }

  /**
   * Gives the client to another owner, and then, right after this call, what came meanwhile: the owner has its listeners by
   * then. @throws `DetachedError` when it was adopted already, `ClosedError` when it is over
   */
  static take(handover: LiveHandover, owner: ClientOwner): Possession {
    const { client } = handover.#possession
    if (handover.#isTaken) {
      throw new DetachedError('This connection was adopted already', { outcome: 'not-sent' })
    }
    if (client.isClosed) {
      const { status } = client
      const why = status.state === 'closed' ? status.cause : undefined
      const cause = why === undefined ? {} : { cause: why }
      throw new ClosedError('The connection that was handed over is closed', cause)
    }
    handover.#isTaken = true
    client.adopt(owner)
    queueMicrotask(() => {
      for (const { name, event } of handover.#kept.splice(0)) owner.emit(name, event)
    })
    return handover.#possession
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

/** How a connection is taken over. */
export interface AdoptOptions {
  /**
   * Milliseconds for subscribing to what the last owner was subscribed to, with the same patterns. What is not claimed
   * by then is unsubscribed, and the events that came for it are reported as `undeliverable`. @default 10_000
   */
  readonly claimWithinMs?: number | undefined
}

/** @throws `ConfigError` */
export function claimTimeOf(options: AdoptOptions): number {
  checkOptions<AdoptOptions>('', options, { claimWithinMs: check.durationMs({ min: 0 }) })
  return options.claimWithinMs ?? 10_000
}
