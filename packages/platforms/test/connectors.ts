/** Sources and sinks that dispose of themselves, and a callback that remembers. */
import {
  webSocketSink,
  webSocketSource,
  type Properties,
  type SourceCallback,
  type SourceMessage,
  type WebSocketSink,
  type WebSocketSinkOptions,
  type WebSocketSource,
  type WebSocketSourceOptions,
  type WebSocketSourceOverrides,
} from '../src/index.ts'
import { onTestFinished } from 'vitest'

/** Quick retries, whatever the test is about. */
const QUICK = { backoff: (): number => 5 }

/** A source that ends with the test. */
export function sourceOf(
  target: { readonly url: string },
  options: Omit<WebSocketSourceOptions, 'url'> = {},
): WebSocketSource {
  const source = webSocketSource({ url: target.url, reconnect: QUICK, ...options })
  onTestFinished(async () => void (await source.stop({ timeoutMs: 0 })))
  return source
}

/** A source from properties that ends with the test. */
export function sourceFrom(
  target: { readonly url: string },
  properties: Properties = {},
  overrides: WebSocketSourceOverrides = {},
): WebSocketSource {
  const source = webSocketSource({ 'websocket.url': target.url, ...properties }, overrides)
  onTestFinished(async () => void (await source.stop({ timeoutMs: 0 })))
  return source
}

/** A sink that ends with the test. */
export function sinkOf(
  target: { readonly url: string },
  options: Omit<WebSocketSinkOptions, 'url'> = {},
): WebSocketSink {
  const sink = webSocketSink({ url: target.url, reconnect: QUICK, ...options })
  onTestFinished(async () => void (await sink.stop({ timeoutMs: 0 })))
  return sink
}

/** A callback that keeps what it gets, and fails when told to. */
export class Received {
  readonly data: Uint8Array[] = []
  readonly messages: SourceMessage[] = []
  /** Thrown for each message. */
  failure: Error | undefined
  readonly callback: SourceCallback = (data, message) => {
    this.data.push(data)
    this.messages.push(message)
    if (this.failure !== undefined) throw this.failure
  }

  /** The bytes as text. */
  get texts(): string[] {
    return this.data.map((bytes) => Buffer.from(bytes).toString())
  }
}
