/** The options of a sink, and the flat properties that say the same. */
import type { ErrorKind, QueueOptions } from '@bus/core'
import { check, checkOptions } from '@bus/core/kit'
import { optionTable } from '@bus/websocket/protocol'
import {
  connectionChecks,
  connectionOf,
  connectionParameters,
  connectionProperties,
  knownProperties,
  type ConnectionOptions,
  withOverrides,
} from './connection.ts'
import { FORMATS, type Format } from './format.ts'
import type { MessageKind } from './message.ts'
import { property, readProperties, type Properties } from './properties.ts'

/** How a sink reaches its server, and what its messages are. */
export interface WebSocketSinkOptions extends ConnectionOptions {
  /** Which kind of frame carries the messages; `text` only takes what is valid UTF-8. @default 'text' */
  readonly messageType?: MessageKind | undefined
  /** What each message must be; one that is something else is refused and not sent. @default 'bytes' */
  readonly format?: Format | undefined
  /** What waits to be sent, and for a connection. @default 1_000 messages, 16 MiB, strategy 'block', warning at 0.8 */
  readonly queue?: QueueOptions | undefined
  /** Links that may break while one message is sent before its publish rejects, an integer ≥ 1. @default 5 */
  readonly maxAttempts?: number | undefined
  /** Gets every failure that no caller is waiting for, such as an attempt to connect. @default none */
  readonly onError?: ((error: Error, kind: ErrorKind) => void) | undefined
}

/** The keys of a sink besides the required `websocket.url`, without `format`. */
export const sinkParameters: readonly string[] = Object.freeze([
  ...connectionParameters,
  'websocket.message.type',
])

const propertyShape = Object.freeze({
  ...connectionProperties,
  format: property.withDefault(property.choice(['json', 'text', 'bytes']), 'bytes'),
  'websocket.message.type': property.withDefault(property.choice(['text', 'binary']), 'text'),
})

/** Attempts after the first failure where properties do not say: a publish shall not wait for ever. */
const ATTEMPTS = 3

/** @throws `ConfigError` naming the option. */
export function checkSinkOptions(options: WebSocketSinkOptions): void {
  checkOptions<WebSocketSinkOptions>('', options, {
    ...connectionChecks,
    queue: optionTable.queue,
    maxAttempts: check.integer({ min: 1, allowInfinity: true }),
    messageType: check.oneOf(['text', 'binary']),
    format: check.oneOf(FORMATS),
    onError: check.func,
  })
}

/** @throws `ConfigError` naming the key. */
export function sinkOptionsOf(
  properties: Properties,
  overrides: Partial<WebSocketSinkOptions> = {},
): WebSocketSinkOptions {
  const known = ['websocket.url', 'format', ...sinkParameters]
  const values = readProperties(
    knownProperties(properties, known, () => true),
    propertyShape,
  )
  const options: WebSocketSinkOptions = {
    ...connectionOf(values, ATTEMPTS),
    format: values.format,
    messageType: values['websocket.message.type'],
  }
  return withOverrides(options, overrides)
}
