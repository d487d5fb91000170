/** How bytes travel on a link: the conditions of the network, and blackholes in which nothing passes. */
import { check, checkOptions, type Shape } from '@bus/core/kit'

/** Which way bytes go: from the client to the target, or back. */
export type LinkDirection = 'upstream' | 'downstream'

/** Both directions. */
export const DIRECTIONS: readonly LinkDirection[] = Object.freeze(['upstream', 'downstream'])

/** How bytes travel in one direction. Order is always kept. */
export interface NetworkConditions {
  /** Milliseconds by which everything is delayed. @default 0 */
  readonly delayMs?: number | undefined
  /** Milliseconds, at most, that are added to the delay at random. @default 0 */
  readonly jitterMs?: number | undefined
  /** Bytes, at most, that are passed on at once: a random number from 1 to this, one piece for each iteration of the event loop. @default no limit */
  readonly sliceBytes?: number | undefined
  /** Bytes per second. @default no limit */
  readonly bytesPerSecond?: number | undefined
  /**
   * Milliseconds between the last bytes of one side and its FIN; a reset is not delayed.
   * @default 0
   */
  readonly closeDelayMs?: number | undefined
}

/** The conditions with every default filled in. */
export type ResolvedConditions = { readonly [K in keyof NetworkConditions]-?: number }

/** The conditions of a network that delays nothing. */
export const UNIMPAIRED: ResolvedConditions = Object.freeze({
  delayMs: 0,
  jitterMs: 0,
  sliceBytes: Infinity,
  bytesPerSecond: Infinity,
  closeDelayMs: 0,
})

const CONDITIONS_SHAPE: Shape<NetworkConditions> = Object.freeze({
  delayMs: check.durationMs(),
  jitterMs: check.durationMs(),
  sliceBytes: check.integer({ min: 1, allowInfinity: true }),
  bytesPerSecond: (path, value) => {
    if (value !== Infinity) check.number({ min: 0, exclusiveMin: true })(path, value)
  },
  closeDelayMs: check.durationMs(),
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
 * What becomes of the bytes in a blackhole. `hold`: they are buffered and delivered at the end of it, as TCP resends what was not
 * acknowledged; with 256 KiB buffered, reading stops. `discard`: they are read and dropped, and a link that has lost some is reset
 * at the end, as by a host that no longer knows the connection.
 */
export type BlackholeMode = 'hold' | 'discard'

/** In which direction nothing passes, and what becomes of the bytes. */
export interface BlackholeOptions {
  /** @default both */
  readonly direction?: LinkDirection | undefined
  /** What becomes of the bytes. @default 'hold' */
  readonly bytes?: BlackholeMode | undefined
}

const BLACKHOLE_SHAPE: Shape<BlackholeOptions> = Object.freeze({
  direction: check.oneOf(DIRECTIONS),
  bytes: check.oneOf(['hold', 'discard']),
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
