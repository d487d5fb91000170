/** What `memoryTransport` accepts. */
import { systemClock, type Clock } from '../contract/clock.ts'
import { check } from '../config/checks.ts'
import { checkOptions, type Shape, type Filled } from '../config/options.ts'
import { PatternIndex } from '../contract/pattern-index.ts'
import type { Codec } from '../codec/codec.ts'
import { jsonCodec } from '../codec/json-codec.ts'
import { resolveQueueOptions, type QueueOptions } from '../queue/queue-options.ts'
import { memoryMedium, type MemoryMedium } from './memory-medium.ts'

/** The options of `memoryTransport`. */
export interface MemoryTransportOptions {
  /** Transports with the same medium see each other's events. @default one of its own */
  readonly medium?: MemoryMedium
  /** Events are encoded once and decoded per subscription, as over a wire. @default `jsonCodec()` */
  readonly codec?: Codec
  /** What waits to be delivered. @default 1,000 events, `block` */
  readonly queue?: QueueOptions
  /**
   * Milliseconds for which a full subscription holds this transport's events back; then it gets the next one all
   * the same. Without a limit, a handler that awaits a publish to its own full subscription waits for itself.
   * @default 30_000
   */
  readonly holdMs?: number
  /** @default the machine's clock */
  readonly clock?: Clock
}

/** The options as the transport uses them. */
export type ResolvedMemoryOptions = Filled<Omit<MemoryTransportOptions, 'queue'>> & {
  readonly queue: Filled<QueueOptions>
}

/** The values of what was left out. */
const MEMORY_DEFAULTS: { readonly holdMs: number } = Object.freeze({ holdMs: 30_000 })

const SHAPE: Shape<MemoryTransportOptions> = Object.freeze({
  medium: check.where('to be a medium of memoryMedium()', isMedium),
  codec: check.withMethods('encode', 'decode'),
  // The queue checks its own options.
  queue: () => {},
  holdMs: check.durationMs({ allowInfinity: true }),
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

/** @throws `ConfigError` naming the option. */
export function resolveMemoryOptions(options: MemoryTransportOptions): ResolvedMemoryOptions {
  checkOptions('', options, SHAPE)
  const { holdMs = MEMORY_DEFAULTS.holdMs } = options
  return Object.freeze({
    medium: options.medium ?? memoryMedium(),
    codec: options.codec ?? jsonCodec(),
    queue: resolveQueueOptions(options.queue, 'queue'),
    holdMs,
    clock: options.clock ?? systemClock,
  })
}

function isMedium(value: unknown): boolean {
  return (value as Partial<MemoryMedium> | null)?.feeds instanceof PatternIndex
}
