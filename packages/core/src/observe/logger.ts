/** The logging port, and the log messages for the events of a bus or a transport. */

import { check } from '../config/checks.ts'
import { checkOptions, type Shape } from '../config/options.ts'
import type { Event } from '../contract/event.ts'
import type { TransportStatus } from '../contract/status.ts'
import type {
  Listenable,
  TransportEvents,
  Undeliverable,
  Unsubscribe,
} from '../contract/transport.ts'
import { errorWithStack } from './error-data.ts'

/** Facts of a log entry, plain data. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where logs go: fields first, then the message. `console`, pino and bunyan are such loggers as they are. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** What is logged, and under which name. */
export interface AttachLoggerOptions {
  /** The least that is logged: `debug`, `info`, `warn`, `error` or `silent`; an unknown one counts as `info`. @default 'info' */
  readonly level?: LogLevel | (string & {}) | undefined
  /** Put into the fields as `name`, to distinguish several. @default none */
  readonly name?: string | undefined
}

/** What a bus reports besides, in the parts that are logged: its own types are above this module. */
interface LoggedEvents extends TransportEvents {
  'dead-letter': {
    readonly id: string
    readonly reason: string
    readonly event?: Event | undefined
  }
  'subscription-backpressure': {
    readonly id: string
    readonly level: 'high' | 'normal'
    readonly fillRatio: number
  }
  'blocked-handler': { readonly id: string; readonly event: Event; readonly waitedMs: number }
  retry: {
    readonly id: string
    readonly event: Event
    readonly attempt: number
    readonly delayMs: number
    readonly error: Error
  }
}

/** One entry: its level, its message and its facts. */
type Words<K extends keyof LoggedEvents> = (
  notice: LoggedEvents[K],
) => readonly [keyof Logger, string, LogFields]

type Vocabulary = { readonly [K in keyof LoggedEvents]: Words<K> }

const SHAPE: Shape<AttachLoggerOptions> = {
  level: check.string(),
  name: check.string({ nonEmpty: true }),
}

/** Payloads are never logged: only types and ids. */
const VOCABULARY: Vocabulary = {
  status: ({ status, previous }) => {
    const fields = { from: previous.state, ...statusFields(status) }
    const isFailure = status.state === 'closed' && status.cause !== undefined
    return [isFailure ? 'error' : 'debug', `The connection is ${status.state}`, fields]
  },
  open: (notice) => ['info', notice.reconnected ? 'Connected again' : 'Connected', { ...notice }],
  close: (notice) => [notice.wasClean ? 'info' : 'warn', 'The link ended', { ...notice }],
  // An attempt that failed is followed by the next; the last one ends in `closed`.
  error: ({ kind, error }) => [
    kind === 'connection' ? 'warn' : 'error',
    `Failed: ${kind}`,
    { kind, err: errorWithStack(error) },
  ],
  undeliverable: (notice) => ['warn', `Given up: ${notice.reason}`, undeliverableFields(notice)],
  backpressure: ({ level, fillRatio }) =>
    level === 'high'
      ? ['warn', 'The outbox fills up', { fillRatio }]
      : ['info', 'The outbox has room again', { fillRatio }],
  ready: () => ['debug', 'There is room again', {}],
  breaker: (notice) => [
    notice.state === 'open' ? 'warn' : 'info',
    `The circuit breaker is ${notice.state}`,
    { ...notice },
  ],
  'heartbeat-timeout': (notice) => ['warn', 'A ping was not answered', { ...notice }],
  'rate-limit': ({ action, event, ...rest }) => [
    action === 'rejected' ? 'warn' : 'debug',
    `The rate limit has ${action} an event`,
    { ...rest, type: event.type, id: event.id },
  ],
  gap: (notice) => ['warn', `Events are missing: ${notice.reason}`, { ...notice }],
  'subscriptions-restored': ({ patterns }) => ['info', 'Subscriptions restored', { patterns }],
  'subscriptions-failed': ({ patterns, error }) => [
    'error',
    'Subscriptions not restored',
    { patterns, err: errorWithStack(error) },
  ],
  // The failure itself is an `error`, and what was given up an `undeliverable`.
  'dead-letter': ({ id, reason, event }) => [
    'warn',
    `Dead letter: ${reason}`,
    { letter: id, reason, ...eventFields(event) },
  ],
  'subscription-backpressure': ({ id, level, fillRatio }) =>
    level === 'high'
      ? ['warn', 'The queue of a subscription fills up', { subscription: id, fillRatio }]
      : ['info', 'The queue of a subscription has room again', { subscription: id, fillRatio }],
  'blocked-handler': ({ id, event, waitedMs }) => [
    'warn',
    'A handler waits for its own publish',
    { subscription: id, waitedMs, ...eventFields(event) },
  ],
  retry: ({ id, event, attempt, delayMs, error }) => [
    'warn',
    'A handler failed and is called again',
    { subscription: id, attempt, delayMs, ...eventFields(event), err: errorWithStack(error) },
  ],
}

/**
 * Logs the events of a bus or a transport, until the function that it returns is called. Without it nothing is logged.
 *
 * A logger that throws is an `error` notice of kind `listener`, and changes nothing.
 *
 * @example
 * ```ts
 * import { attachLogger, createBus } from '@bus/core'
 * import { memoryTransport } from '@bus/core/memory'
 *
 * const bus = createBus({ transport: memoryTransport() })
 * const detach = attachLogger(bus, console, { level: 'debug', name: 'orders' })
 * await bus.connect()
 * detach()
 * ```
 *
 * @throws `ConfigError` naming the option.
 */
export function attachLogger(
  source: Listenable<TransportEvents>,
  logger: Logger,
  options: AttachLoggerOptions = {},
): Unsubscribe {
  checkOptions('', options, SHAPE)
  const least = levelOf(options.level)
  const { name } = options
  const log = (level: keyof Logger, message: string, fields: LogFields): void => {
    if (levelOf(level) < least) return
    logger[level](name === undefined ? fields : { name, ...fields }, message)
  }
  // A transport has none of the events of a bus, and never calls these listeners.
  const all = source as Listenable<LoggedEvents>
  const listen = <K extends keyof LoggedEvents>(event: K, words: Words<K>): Unsubscribe =>
    all.on(event, (notice) => log(...words(notice)))
  const names = Object.keys(VOCABULARY) as (keyof LoggedEvents)[]
  const stops =
    least === Infinity
      ? []
      : names.map((event) => listen(event, VOCABULARY[event] as Words<typeof event>))
  const stop = (): void => {
    for (const end of stops) end()
  }
  return Object.assign(stop, { [Symbol.dispose]: stop })
}

function statusFields(status: TransportStatus): LogFields {
  if (!('cause' in status)) return { ...status }
  const { cause, ...rest } = status
  return cause === undefined ? rest : { ...rest, err: errorWithStack(cause) }
}

function eventFields(event: Event | undefined): LogFields {
  return event === undefined ? {} : { type: event.type, id: event.id }
}

function undeliverableFields({ event, raw, error, ...rest }: Undeliverable): LogFields {
  return {
    ...rest,
    err: errorWithStack(error),
    ...eventFields(event),
    ...(raw === undefined ? {} : { rawLength: raw.length }),
  }
}

/** From which importance on something is logged; `silent` logs nothing. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const RANKS: Readonly<Record<LogLevel, number>> = Object.freeze({
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  silent: Infinity,
})

/** The rank of a level; that of `info` for one that is not known, so that a typing error hides no failure. */
export function levelOf(name: string = 'info'): number {
  return Object.hasOwn(RANKS, name) ? RANKS[name as LogLevel] : RANKS.info
}
