/** The options of a replay server. */
import type { Clock } from '@bus/core'
import {
  boolean,
  checkOptions,
  durationMs,
  instance,
  systemClock,
  withMethods,
  type Shape,
} from '@bus/core/kit'
import type { MockServerOptions } from '../mock-server/options.ts'

/** How a recording is played, and where the server listens. */
export interface ReplayServerOptions extends Omit<MockServerOptions, 'handler' | 'onConnection'> {
  /** Whether as much time passes between two messages as did then. @default false */
  readonly realtime?: boolean
  /** Milliseconds that pass between two entries at most, with `realtime`. @default no limit */
  readonly maxGapMs?: number
  /**
   * Whether the server waits, before it sends what came after a message of the recorded client, until its own client has sent as
   * many messages: for dialogues, such as logging in. @default false
   */
  readonly inStep?: boolean
  /** Ends the reading of the recording before the server has started. */
  readonly signal?: AbortSignal
}

/** What concerns the playing. */
export interface PlayOptions {
  readonly realtime: boolean
  readonly maxGapMs: number
  readonly inStep: boolean
  readonly clock: Clock
}

type OwnOptions = Pick<ReplayServerOptions, 'realtime' | 'maxGapMs' | 'inStep' | 'clock' | 'signal'>

const SHAPE: Shape<OwnOptions> = {
  realtime: boolean,
  maxGapMs: durationMs({ allowInfinity: true, allowLong: true }),
  inStep: boolean,
  clock: withMethods('now', 'setTimeout', 'clearTimeout'),
  signal: instance(AbortSignal),
}

/**
 * Tells the options of the playing from those of the server, which checks its own.
 *
 * @throws `ConfigError`
 */
export function resolveReplayOptions(options: ReplayServerOptions): {
  readonly play: PlayOptions
  readonly server: MockServerOptions
  readonly signal: AbortSignal | undefined
} {
  const { realtime, maxGapMs, inStep, signal, ...server } = options
  const { clock } = server
  checkOptions<OwnOptions>('', { realtime, maxGapMs, inStep, signal, clock }, SHAPE)
  const play = {
    realtime: realtime ?? false,
    maxGapMs: maxGapMs ?? Infinity,
    inStep: inStep ?? false,
    clock: clock ?? systemClock,
  }
  return { play, server, signal }
}
