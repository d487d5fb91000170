/** What a subscription needs of the bus that holds it. */
import type { Clock, Random } from '../contract/clock.ts'
import type { Subscription } from '../contract/subscriber.ts'
import type { ErrorKind, Undeliverable } from '../contract/transport.ts'
import type { Telemetry } from '../observe/telemetry.ts'
import type { HandlingScope } from './handling-scope.ts'

/** The narrow port through which a subscription speaks to its bus. None of its methods throws. */
export interface SubscriptionHost {
  readonly clock: Clock
  readonly random: Random
  /** The handler in whose asynchronous context the current code runs. */
  readonly scope: HandlingScope
  readonly hasDeadLetters: boolean
  /** Where handling is told. @default the channels under the prefix `bus` */
  readonly telemetry?: Telemetry
  /** Gives an event up. `false`: the dead letters refused it, so it is still unprocessed. */
  giveUp(undeliverable: Undeliverable): boolean
  /** Tells that an event was given up, and stores it nowhere. */
  announce(undeliverable: Undeliverable): void
  /** Stores an event that was announced before. `false`: the dead letters refused it again. */
  store(undeliverable: Undeliverable): boolean
  report(kind: ErrorKind, error: Error): void
  pressure(subscription: Subscription, level: 'high' | 'normal', fillRatio: number): void
  ended(subscription: Subscription): void
}
