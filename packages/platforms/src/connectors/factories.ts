/** The factories of the WebSocket connectors, for a registry of sources and one of sinks. */
import type { ConnectorFactory } from './connectors.ts'
import { FORMATS } from './format.ts'
import { property, type Properties } from './properties.ts'
import { sinkParameters, type WebSocketSinkOptions } from './sink-options.ts'
import { webSocketSink, type WebSocketSink } from './sink.ts'
import { sourceParameters, type WebSocketSourceOverrides } from './source-options.ts'
import { webSocketSource, type WebSocketSource } from './source.ts'

const NAME = 'websocket'
const REQUIRED: readonly string[] = Object.freeze(['websocket.url'])

/**
 * The factory of WebSocket sources.
 *
 * @param overrides - what holds for all of its sources and what properties cannot say
 */
export function webSocketSourceFactory(
  overrides?: WebSocketSourceOverrides,
): ConnectorFactory<WebSocketSource> {
  return Object.freeze({
    name: NAME,
    supportedFormats: FORMATS,
    requiredParameters: REQUIRED,
    optionalParameters: sourceParameters,
    create: (properties: Properties) => webSocketSource(withFormat(properties), overrides),
  })
}

/**
 * The factory of WebSocket sinks.
 *
 * @param overrides - what holds for all of its sinks and what properties cannot say
 */
export function webSocketSinkFactory(
  overrides?: Partial<WebSocketSinkOptions>,
): ConnectorFactory<WebSocketSink> {
  return Object.freeze({
    name: NAME,
    supportedFormats: FORMATS,
    requiredParameters: REQUIRED,
    optionalParameters: sinkParameters,
    create: (properties: Properties) => webSocketSink(withFormat(properties), overrides),
  })
}

/** Formats are declared, so one must be named: what a message is shall not be an accident. */
function withFormat(properties: Properties): Properties {
  property.choice(FORMATS).read('format', properties['format'] ?? '')
  return properties
}
