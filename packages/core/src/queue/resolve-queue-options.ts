/** Checks the options of a queue and fills in what was left out. */
import { checkOptions, integer, number, oneOf, type Shape } from '../config/options.ts'
import { BACKPRESSURE_STRATEGIES, type QueueOptions } from './queue-options.ts'

/** What a queue does when nothing else is asked for. */
const QUEUE_DEFAULTS: Required<QueueOptions> = Object.freeze({
  capacity: 1_000,
  maxBytes: Infinity,
  strategy: 'block',
  warningThreshold: 0.8,
})

/** What each option of a queue accepts. */
const QUEUE_SHAPE: Shape<QueueOptions> = Object.freeze({
  capacity: integer({ min: 1, allowInfinity: true }),
  maxBytes: integer({ min: 1, allowInfinity: true }),
  strategy: oneOf(BACKPRESSURE_STRATEGIES),
  warningThreshold: number({ min: 0, max: 1, exclusiveMin: true }),
})

/**
 * The options with their defaults, checked and frozen; the caller's object is only read.
 *
 * @param path - what the queue is part of, dotted; empty where it stands alone
 * @throws `ConfigError` naming the option
 */
export function resolveQueueOptions(options: QueueOptions = {}, path = ''): Required<QueueOptions> {
  checkOptions(path, options, QUEUE_SHAPE)
  const {
    capacity = QUEUE_DEFAULTS.capacity,
    maxBytes = QUEUE_DEFAULTS.maxBytes,
    strategy = QUEUE_DEFAULTS.strategy,
    warningThreshold = QUEUE_DEFAULTS.warningThreshold,
  } = options
  return Object.freeze({ capacity, maxBytes, strategy, warningThreshold })
}
