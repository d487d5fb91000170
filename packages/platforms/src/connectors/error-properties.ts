/** The `error.*` properties of a connector: what happens to a message whose callback failed, as flat text. */
import { missing, property, type Properties, type Property } from './properties.ts'
import {
  ConfigError,
  backoff,
  type DeadLetterPolicy,
  type ErrorPolicy,
  type Undeliverable,
  type BackoffPolicy,
} from '@bus/core'

/** How important a failure is to whoever reads the log. */
export type ErrorLogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** Takes the dead letters of the stream with this name; what it throws or rejects with is a delivery that failed. */
export type DeadLetterStreams = Readonly<
  Record<string, (letter: Undeliverable) => void | Promise<void>>
>

/** What the `error.*` properties say. */
export interface ErrorHandling {
  readonly errorPolicy: ErrorPolicy
  readonly logLevel: ErrorLogLevel
}

const RETRY_KEYS = Object.freeze([
  'max-attempts',
  'backoff',
  'initial-delay',
  'initial-delay-ms',
  'max-delay',
  'max-delay-ms',
  'backoff-multiplier',
])
const RETRY = 'error.retry.'
const FALLBACK_RETRY = 'error.dlq.fallback-retry.'
const STREAM = 'error.dlq.stream'
const FALLBACK = 'error.dlq.fallback-strategy'

/** The keys that {@link errorHandlingOf} reads, for the `optionalParameters` of a factory. */
export const errorParameters: readonly string[] = Object.freeze([
  'error.strategy',
  'error.log-level',
  ...RETRY_KEYS.map((key) => RETRY + key),
  STREAM,
  FALLBACK,
  ...RETRY_KEYS.map((key) => FALLBACK_RETRY + key),
])

/**
 * Reads the `error.*` properties; all others are not looked at.
 *
 * Retries come first wherever a key of them is given, whatever the strategy. A key that would change nothing is refused.
 *
 * @param streams - where `error.dlq.stream` may lead. Without it dead letters go to those of the bus
 * @throws `ConfigError` naming the key.
 */
export function errorHandlingOf(
  properties: Properties,
  streams?: DeadLetterStreams,
): ErrorHandling {
  const strategy = read(
    properties,
    'error.strategy',
    property.choice(['drop', 'retry', 'dlq', 'fail']),
  )
  const level = property.choice(['trace', 'debug', 'info', 'warn', 'error'])
  const hasRetry = strategy === 'retry' || hasRetryKeys(properties, RETRY)
  const deadLetter = deadLetterOf(properties, strategy, streams)
  return Object.freeze({
    errorPolicy: Object.freeze({
      strategy: strategy ?? 'drop',
      ...(hasRetry ? { retry: retryOf(properties, RETRY) } : {}),
      ...(deadLetter === undefined ? {} : { deadLetter }),
    }),
    logLevel: read(properties, 'error.log-level', level) ?? 'warn',
  })
}

function deadLetterOf(
  properties: Properties,
  strategy: ErrorPolicy['strategy'],
  streams: DeadLetterStreams | undefined,
): DeadLetterPolicy | undefined {
  const stream = read(properties, STREAM, property.text())
  const fallback = read(properties, FALLBACK, property.choice(['log', 'fail', 'retry']))
  if (strategy === 'dlq' && stream === undefined) throw missing([STREAM])
  const isReached = strategy === 'dlq' || strategy === 'retry'
  if (!isReached) refuseIdle(STREAM, stream, '`error.strategy` dlq or retry')
  if (stream === undefined) refuseIdle(FALLBACK, fallback, `\`${STREAM}\``)
  const isRetried = hasRetryKeys(properties, FALLBACK_RETRY)
  if (isRetried && fallback !== 'retry') {
    refuseIdle(`${FALLBACK_RETRY}*`, 'given', `\`${FALLBACK}\` retry`)
  }
  if (!isRetried && fallback === 'retry') throw missing([`${FALLBACK_RETRY}max-attempts`])
  if (stream === undefined) return undefined
  const deliver = deliveryTo(stream, streams)
  return Object.freeze({
    fallback: fallback ?? 'log',
    ...(fallback === 'retry' ? { retry: retryOf(properties, FALLBACK_RETRY) } : {}),
    ...(deliver === undefined ? {} : { deliver }),
  })
}

function deliveryTo(
  stream: string,
  streams: DeadLetterStreams | undefined,
): DeadLetterPolicy['deliver'] {
  if (streams === undefined) return undefined
  if (Object.hasOwn(streams, stream)) return streams[stream]
  const known = Object.keys(streams).join(', ')
  throw ConfigError.expected(STREAM, `to be one of the streams that are there (${known})`, stream)
}

function retryOf(
  properties: Properties,
  prefix: string,
): { readonly attempts: number; readonly backoff: BackoffPolicy } {
  const at = (key: string): string => prefix + key
  const attempts = read(properties, at('max-attempts'), property.integer({ min: 1 })) ?? 3
  const kinds = property.choice(['exponential', 'linear', 'fixed'])
  const kind = read(properties, at('backoff'), kinds) ?? 'exponential'
  const factor = read(properties, at('backoff-multiplier'), property.number({ min: 1 }))
  if (kind !== 'exponential') {
    refuseIdle(at('backoff-multiplier'), factor, `\`${at('backoff')}\` exponential`)
  }
  const initialMs = delayOf(properties, at('initial-delay')) ?? 100
  const given = delayOf(properties, at('max-delay'))
  if (kind === 'fixed') refuseIdle(at('max-delay'), given, `\`${at('backoff')}\` that grows`)
  if (given !== undefined && given < initialMs) {
    const form = `to be at least \`${at('initial-delay')}\` (${initialMs} ms)`
    throw ConfigError.expected(at('max-delay'), form, given)
  }
  const maxMs = given ?? Math.max(initialMs, 10_000)
  const policies = {
    exponential: () =>
      backoff.exponential({ initialMs, maxMs, factor: factor ?? 2, jitter: 'none' }),
    linear: () => backoff.linear({ initialMs, maxMs }),
    fixed: () => backoff.constant({ delayMs: initialMs }),
  }
  return Object.freeze({ attempts, backoff: policies[kind]() })
}

/** A delay under either of its two names. */
function delayOf(properties: Properties, key: string): number | undefined {
  const [one, other] = [key, `${key}-ms`].map((name) => read(properties, name, property.duration()))
  if (one === undefined || other === undefined) return one ?? other
  throw new ConfigError(key, `Expected only one of \`${key}\` and \`${key}-ms\`, got both`)
}

function hasRetryKeys(properties: Properties, prefix: string): boolean {
  return RETRY_KEYS.some((key) => properties[prefix + key] !== undefined)
}

function refuseIdle(key: string, value: unknown, condition: string): void {
  if (value === undefined) return
  throw new ConfigError(key, `Expected \`${key}\` only with ${condition}`)
}

function read<T>(properties: Properties, key: string, expected: Property<T>): T | undefined {
  const text = properties[key]
  return text === undefined ? expected.whenAbsent : expected.read(key, text)
}
