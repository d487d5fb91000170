/** The options of a pool, what each means to the caller, and what holds where it is not given. */
import { ConfigError, type Clock, type PublishOptions, type Transport } from '@bus/core'
import { check, checkOptions, systemClock, type Shape, type Filled } from '@bus/core/kit'

/** The members that may be chosen from, as they are now. */
export type Discover = () => readonly Transport[]

/** What makes a pool. One of `transports` and `discover` has to be given. */
export interface TransportPoolOptions {
  /** The members. They belong to the pool from now on: it connects, drains and closes them. */
  readonly transports?: readonly Transport[] | undefined
  /**
   * Says before each choice who the members are. They belong to their creator: the pool connects them and subscribes
   * with them, and leaves them open. What it throws is an `error` notice, and the members stay those of before.
   */
  readonly discover?: Discover | undefined
  /** Members that one publish tries before it fails with the last error, an integer ≥ 1. @default 3 */
  readonly maxAttempts?: number | undefined
  /**
   * An event may be sent by another member although it is unknown whether it arrived the first time; its consumer has to
   * know a duplicate by its id. `false`: such a publish fails with outcome `unknown`. @default false
   */
  readonly idempotent?: boolean | undefined
  /** Milliseconds that one member gets for one event before another may have it. @default no limit */
  readonly attemptTimeoutMs?: number | undefined
  /** What a publish does while no member is ready but one may become so: wait, or reject at once. @default 'wait' */
  readonly whenDisconnected?: 'wait' | 'reject' | undefined
  /** Publishes that may wait for a member, an integer ≥ 1; one more is rejected with `QueueFullError`. @default 1_000 */
  readonly maxWaiting?: number | undefined
  /** Milliseconds that a failure counts against its member. @default 60_000 */
  readonly errorDecayMs?: number | undefined
  /** Events that each subscription remembers, to deliver once what several members bring. @default 8_192 */
  readonly dedupeWindow?: number | undefined
  /** Its name in telemetry and errors. @default 'pool' */
  readonly name?: string | undefined
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock | undefined
}

/** What one publish may decide otherwise than its pool. */
export interface PoolPublishOptions extends PublishOptions {
  /** @default that of the pool */
  readonly maxAttempts?: number | undefined
  /** @default that of the pool */
  readonly idempotent?: boolean | undefined
}

/** The options with every default filled in. */
export type ResolvedPoolOptions = Readonly<
  Filled<Omit<TransportPoolOptions, 'transports' | 'discover' | 'attemptTimeoutMs'>> & {
    readonly transports: readonly Transport[]
    readonly discover: Discover | undefined
    readonly attemptTimeoutMs: number | undefined
  }
>

const positive = check.integer({ min: 1 })
const transports = check.arrayOf(
  check.withMethods('connect', 'publish', 'subscribe', 'drain', 'close'),
)

const SHAPE: Shape<TransportPoolOptions> = Object.freeze({
  transports,
  discover: check.func,
  maxAttempts: positive,
  idempotent: check.boolean,
  attemptTimeoutMs: check.durationMs({ min: 1 }),
  whenDisconnected: check.oneOf(['wait', 'reject']),
  maxWaiting: positive,
  errorDecayMs: check.durationMs({ min: 1 }),
  dedupeWindow: positive,
  name: check.string({ nonEmpty: true }),
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

/** @throws `ConfigError` naming the option. */
export function resolvePoolOptions(options: TransportPoolOptions): ResolvedPoolOptions {
  checkOptions('', options, SHAPE)
  if ((options.transports === undefined) === (options.discover === undefined)) {
    const form = 'to be given, or `discover`, and not both'
    throw ConfigError.expected('transports', form, options.transports)
  }
  return Object.freeze({
    transports: Object.freeze([...(options.transports ?? [])]),
    discover: options.discover,
    maxAttempts: options.maxAttempts ?? 3,
    idempotent: options.idempotent ?? false,
    attemptTimeoutMs: options.attemptTimeoutMs,
    whenDisconnected: options.whenDisconnected ?? 'wait',
    maxWaiting: options.maxWaiting ?? 1_000,
    errorDecayMs: options.errorDecayMs ?? 60_000,
    dedupeWindow: options.dedupeWindow ?? 8_192,
    name: options.name ?? 'pool',
    clock: options.clock ?? systemClock,
  })
}
