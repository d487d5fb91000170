/** How bytes travel on a link: the conditions of the network, and blackholes in which nothing passes. */
import { checkOptions, durationMs, integer, number, oneOf, type Shape } from '@bus/core/kit'

/** Which way bytes go: from the client to the target, or back. */
export type LinkDirection = 'upstream' | 'downstream'

/** Both ways. */
export const DIRECTIONS: readonly LinkDirection[] = Object.freeze(['upstream', 'downstream'])

/** How bytes travel in one direction. Order is always kept. */
export interface NetworkConditions {
  /** Milliseconds that everything comes later. @default 0 */
  readonly delayMs?: number
  /** Milliseconds, at most, that are added to the delay at random. @default 0 */
  readonly jitterMs?: number
  /** Bytes, at most, that are passed on at once: a random number from 1 to this, one piece for each turn of the event loop. @default no limit */
  readonly sliceBytes?: number
  /** Bytes per second. @default no limit */
  readonly bytesPerSecond?: number
  /**
   * Milliseconds that the end of what one side says (its FIN) comes later than its last bytes; a reset is not held up.
   * @default 0
   */
  readonly closeDelayMs?: number
}

/** The conditions with every default filled in. */
export type ResolvedConditions = Readonly<Required<NetworkConditions>>

/** Nothing is slowed down. */
export const UNIMPAIRED: ResolvedConditions = Object.freeze({
  delayMs: 0,
  jitterMs: 0,
  sliceBytes: Infinity,
  bytesPerSecond: Infinity,
  closeDelayMs: 0,
})

const CONDITIONS_SHAPE: Shape<NetworkConditions> = Object.freeze({
  delayMs: durationMs(),
  jitterMs: durationMs(),
  sliceBytes: integer({ min: 1, allowInfinity: true }),
  bytesPerSecond: (path, value) => {
    if (value !== Infinity) number({ min: 0, exclusiveMin: true })(path, value)
  },
  closeDelayMs: durationMs(),
})

/** @throws `ConfigError` that names the option. */
export function resolveConditions(conditions: NetworkConditions): ResolvedConditions {
  checkOptions('conditions', conditions, CONDITIONS_SHAPE)
  return Object.freeze({
    delayMs: conditions.delayMs ?? UNIMPAIRED.delayMs,
    jitterMs: conditions.jitterMs ?? UNIMPAIRED.jitterMs,
    sliceBytes: conditions.sliceBytes ?? UNIMPAIRED.sliceBytes,
    bytesPerSecond: conditions.bytesPerSecond ?? UNIMPAIRED.bytesPerSecond,
    closeDelayMs: conditions.closeDelayMs ?? UNIMPAIRED.closeDelayMs,
  })
}

/**
 * What becomes of the bytes in a blackhole. `hold`: they come when it is mended, as TCP sends again what was not acknowledged;
 * a lane that holds 256 KiB reads no more. `discard`: they are read and thrown away, and a link that has lost some is reset
 * when it is mended, as by a host that has forgotten the connection.
 */
export type BlackholeMode = 'hold' | 'discard'

/** Which way nothing passes, and what becomes of it. */
export interface BlackholeOptions {
  /** @default both */
  readonly direction?: LinkDirection
  /** What becomes of the bytes. @default 'hold' */
  readonly bytes?: BlackholeMode
}

const BLACKHOLE_SHAPE: Shape<BlackholeOptions> = Object.freeze({
  direction: oneOf(DIRECTIONS),
  bytes: oneOf(['hold', 'discard']),
})

/** @throws `ConfigError` that names the option. */
export function resolveBlackhole(options: BlackholeOptions): {
  readonly ways: readonly LinkDirection[]
  readonly bytes: BlackholeMode
} {
  checkOptions('', options, BLACKHOLE_SHAPE)
  return { ways: waysOf(options.direction), bytes: options.bytes ?? 'hold' }
}

/** The one direction, or both. */
export function waysOf(direction: LinkDirection | undefined): readonly LinkDirection[] {
  return direction === undefined ? DIRECTIONS : [direction]
}
