/** The options of a source, and the flat properties that say the same. */
import type { DeadLetterQueue, ErrorKind, ErrorPolicy, QueueOptions } from '@bus/core'
import { check, checkOptions, resolveErrorPolicy, type Check } from '@bus/core/kit'
import { optionTable, type Frame } from '@bus/websocket/protocol'
import {
  connectionChecks,
  connectionOf,
  connectionParameters,
  connectionProperties,
  knownProperties,
  type ConnectionOptions,
  withOverrides,
} from './connection.ts'
import {
  errorHandlingOf,
  errorParameters,
  type DeadLetterStreams,
  type ErrorLogLevel,
} from './error-properties.ts'
import { FORMATS, type Format } from './format.ts'
import { COMPRESSIONS, type Compression } from './inflate.ts'
import { property, readProperties, type Properties } from './properties.ts'

/** How a source reaches its server, what its messages are, and what happens to one whose callback fails. */
export interface WebSocketSourceOptions extends ConnectionOptions {
  /**
   * What each message must be, after it was inflated: one that is something else is a failure that no retry mends.
   * @default 'bytes'
   */
  readonly format?: Format | undefined
  /** Sent on each new connection, after the frames of `onOpen`, for servers that send nothing before they are asked. @default none */
  readonly subscribeMessage?: Frame | readonly Frame[] | undefined
  /** Inflates binary messages that the server compressed by itself; text stays as it is. Not `compression`. @default none */
  readonly decompress?: Compression | undefined
  /** The largest message after inflating, in bytes. @default 16 MiB */
  readonly maxInflatedBytes?: number | undefined
  /** What waits for the callback. When it is full, strategy `block` stops the reading of the socket. @default 1_000 messages, `block` */
  readonly queue?: QueueOptions | undefined
  /** What happens to a message whose callback failed. @default { strategy: 'dlq' } */
  readonly errorPolicy?: ErrorPolicy | undefined
  /** Where messages go that were given up; the bytes as they came are `letter.event.payload`. @default a new `InMemoryDeadLetterQueue` */
  readonly deadLetters?: DeadLetterQueue | false | undefined
  /** Milliseconds that one callback may take; then its signal aborts and the error policy applies. @default no limit */
  readonly callbackTimeoutMs?: number | undefined
  /** Gets every failure that no caller is waiting for. @default none */
  readonly onError?: ((error: Error, kind: ErrorKind, level: ErrorLogLevel) => void) | undefined
  /** The level that `onError` gets. @default 'warn' */
  readonly errorLogLevel?: ErrorLogLevel | undefined
}

/** What flat properties cannot say. */
export type WebSocketSourceOverrides = Partial<WebSocketSourceOptions> & {
  /** Where `error.dlq.stream` may lead, by name. @default to `deadLetters` */
  readonly deadLetterStreams?: DeadLetterStreams | undefined
}

/** The keys of a source besides the required `websocket.url`, without `format`. */
export const sourceParameters: readonly string[] = Object.freeze([
  ...connectionParameters,
  'websocket.subscribe.message',
  'websocket.compression',
  'websocket.compression.max.bytes',
  ...errorParameters,
])

const propertyShape = Object.freeze({
  ...connectionProperties,
  format: property.withDefault(property.choice(['json', 'text', 'bytes']), 'bytes'),
  'websocket.subscribe.message': property.text(),
  'websocket.compression': property.choice(['gzip', 'deflate', 'none']),
  'websocket.compression.max.bytes': property.integer({ min: 1 }),
})

const frame: Check = check.where(
  'to be a string or bytes',
  (value) => typeof value === 'string' || value instanceof Uint8Array,
)
const frames: Check = (path, value) =>
  (Array.isArray(value) ? check.arrayOf(frame) : frame)(path, value)
const policy: Check = (path, value) => void resolveErrorPolicy(value as ErrorPolicy, path)

/** @throws `ConfigError` naming the option. */
export function checkSourceOptions(options: WebSocketSourceOptions): void {
  checkOptions<WebSocketSourceOptions>('', options, {
    ...connectionChecks,
    queue: optionTable.queue,
    format: check.oneOf(FORMATS),
    subscribeMessage: frames,
    decompress: check.oneOf(COMPRESSIONS),
    maxInflatedBytes: check.integer({ min: 1 }),
    errorPolicy: policy,
    deadLetters: check.falseOr(check.withMethods('add', 'list', 'close')),
    callbackTimeoutMs: check.durationMs({ min: 1 }),
    onError: check.func,
    errorLogLevel: check.oneOf(['trace', 'debug', 'info', 'warn', 'error']),
  })
}

/** @throws `ConfigError` naming the key. */
export function sourceOptionsOf(
  properties: Properties,
  overrides: WebSocketSourceOverrides = {},
): WebSocketSourceOptions {
  const { deadLetterStreams, ...rest } = overrides
  const known = ['websocket.url', 'format', ...sourceParameters]
  const own = knownProperties(properties, known, (key) => !key.startsWith('error.'))
  const values = readProperties(own, propertyShape)
  const { errorPolicy, logLevel } = errorHandlingOf(properties, deadLetterStreams)
  const subscribeMessage = values['websocket.subscribe.message']
  const compression = values['websocket.compression']
  const maxInflatedBytes = values['websocket.compression.max.bytes']
  const options: WebSocketSourceOptions = {
    ...connectionOf(values, Infinity),
    format: values.format,
    errorPolicy,
    errorLogLevel: logLevel,
    ...(subscribeMessage === undefined ? {} : { subscribeMessage }),
    ...(compression === undefined || compression === 'none' ? {} : { decompress: compression }),
    ...(maxInflatedBytes === undefined ? {} : { maxInflatedBytes }),
  }
  return withOverrides(options, rest)
}
