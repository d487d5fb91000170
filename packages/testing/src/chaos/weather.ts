/** The weather: what slows a direction down without breaking it. */
import { checkOptions, durationMs, integer, number, type Shape } from '@bus/core/kit'

/** Which way bytes go: from the client to the target, or back. */
export type Direction = 'upstream' | 'downstream'

/** Both ways. */
export const DIRECTIONS: readonly Direction[] = Object.freeze(['upstream', 'downstream'])

/** How bytes travel in one direction. Order is always kept. */
export interface Weather {
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

/** The weather with every default filled in. */
export type ResolvedWeather = Readonly<Required<Weather>>

/** Nothing is slowed down. */
export const FAIR: ResolvedWeather = Object.freeze({
  delayMs: 0,
  jitterMs: 0,
  sliceBytes: Infinity,
  bytesPerSecond: Infinity,
  closeDelayMs: 0,
})

const SHAPE: Shape<Weather> = Object.freeze({
  delayMs: durationMs(),
  jitterMs: durationMs(),
  sliceBytes: integer({ min: 1, allowInfinity: true }),
  bytesPerSecond: (path, value) => {
    if (value !== Infinity) number({ min: 0, exclusiveMin: true })(path, value)
  },
  closeDelayMs: durationMs(),
})

/** @throws `ConfigError` that names the option. */
export function resolveWeather(weather: Weather): ResolvedWeather {
  checkOptions('weather', weather, SHAPE)
  return Object.freeze({
    delayMs: weather.delayMs ?? FAIR.delayMs,
    jitterMs: weather.jitterMs ?? FAIR.jitterMs,
    sliceBytes: weather.sliceBytes ?? FAIR.sliceBytes,
    bytesPerSecond: weather.bytesPerSecond ?? FAIR.bytesPerSecond,
    closeDelayMs: weather.closeDelayMs ?? FAIR.closeDelayMs,
  })
}
