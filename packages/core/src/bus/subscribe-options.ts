/** Checks the options of a subscription and fills in what was left out. */
import { check } from '../config/checks.ts'
import { checkOptions, type Shape, type Filled } from '../config/options.ts'
import { ConfigError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { SubscribeOptions } from '../contract/subscriber.ts'
import type { Delivery } from '../contract/transport.ts'
import { resolveQueueOptions, type QueueOptions } from '../queue/queue-options.ts'
import { resolveErrorPolicy, type ResolvedErrorPolicy } from '../resilience/error-policy.ts'

/** What a subscription does by default. */
const SUBSCRIBE_DEFAULTS: { readonly concurrency: number; readonly zombieLimit: number } =
  Object.freeze({ concurrency: 1, zombieLimit: 10 })

/** The options of a subscription as it uses them. */
export interface ResolvedSubscribeOptions {
  readonly concurrency: number
  readonly orderBy: ((event: Event) => string) | undefined
  readonly queue: Filled<QueueOptions>
  readonly lowWaterMark: number | undefined
  readonly errorPolicy: ResolvedErrorPolicy
  readonly handlerTimeoutMs: number | undefined
  readonly zombieLimit: number
  readonly signal: AbortSignal | undefined
  readonly delivery: Delivery | undefined
}

const SHAPE: Shape<SubscribeOptions> = Object.freeze({
  concurrency: check.integer({ min: 1 }),
  orderBy: check.func,
  // The queue and the error policy check their own options.
  queue: anything,
  lowWaterMark: check.integer({ min: 0 }),
  errorPolicy: anything,
  handlerTimeoutMs: check.durationMs({ min: 1 }),
  zombieLimit: check.integer({ min: 0 }),
  signal: check.abortSignal,
  delivery: check.oneOf(['at-most-once', 'at-least-once']),
})

/** @throws `ConfigError` naming the option. */
export function resolveSubscribeOptions(options: SubscribeOptions = {}): ResolvedSubscribeOptions {
  checkOptions('', options, SHAPE)
  const {
    concurrency = SUBSCRIBE_DEFAULTS.concurrency,
    orderBy,
    handlerTimeoutMs,
    signal,
  } = options
  const queue = resolveQueueOptions(options.queue, 'queue')
  const { lowWaterMark } = options
  if (lowWaterMark !== undefined && lowWaterMark >= queue.capacity) {
    const form = `to be below the capacity of the queue (${queue.capacity})`
    throw ConfigError.expected('lowWaterMark', form, lowWaterMark)
  }
  return Object.freeze({
    concurrency,
    orderBy,
    queue,
    lowWaterMark,
    errorPolicy: resolveErrorPolicy(options.errorPolicy),
    handlerTimeoutMs,
    zombieLimit: options.zombieLimit ?? SUBSCRIBE_DEFAULTS.zombieLimit,
    signal,
    delivery: options.delivery,
  })
}

function anything(): void {}
