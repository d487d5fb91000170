/** A blackhole: nothing passes and nobody is told, until it is mended. */
import { checkOptions, oneOf, type Shape } from '@bus/core/kit'
import { DIRECTIONS, type Direction } from './weather.ts'

/**
 * What becomes of the bytes in a blackhole. `hold`: they come when it is mended, as TCP sends again what was not acknowledged;
 * a lane that holds 256 KiB reads no more. `discard`: they are read and thrown away, and a link that has lost some is reset
 * when it is mended, as by a host that has forgotten the connection.
 */
export type Swallowed = 'hold' | 'discard'

/** Which way nothing passes, and what becomes of it. */
export interface BlackholeOptions {
  /** @default both */
  readonly direction?: Direction
  /** What becomes of the bytes. @default 'hold' */
  readonly bytes?: Swallowed
}

const SHAPE: Shape<BlackholeOptions> = Object.freeze({
  direction: oneOf(DIRECTIONS),
  bytes: oneOf(['hold', 'discard']),
})

/** @throws `ConfigError` that names the option. */
export function resolveBlackhole(options: BlackholeOptions): {
  readonly ways: readonly Direction[]
  readonly bytes: Swallowed
} {
  checkOptions('', options, SHAPE)
  return { ways: waysOf(options.direction), bytes: options.bytes ?? 'hold' }
}

/** The one direction, or both. */
export function waysOf(direction: Direction | undefined): readonly Direction[] {
  return direction === undefined ? DIRECTIONS : [direction]
}
