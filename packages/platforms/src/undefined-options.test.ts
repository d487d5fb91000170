import { expect, test } from 'vitest'
import { resolveJsonRpcOptions, type JsonRpcOptions } from './json-rpc/options.ts'
import { webSocketSink } from './connectors/sink.ts'
import type { WebSocketSinkOptions } from './connectors/sink-options.ts'
import { webSocketSource } from './connectors/source.ts'
import { tokenAuth, type TokenAuthOptions } from './token-auth.ts'

/** The values, with functions by their kind: some defaults are made anew each time. */
function values(options: object): [string, unknown][] {
  return Object.entries(options).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'function' ? 'a function' : value,
  ])
}

test('options of JSON-RPC that are undefined are the same as absent', () => {
  const absent: Required<JsonRpcOptions> = {
    subprotocols: undefined,
    timeoutMs: undefined,
    maxPending: undefined,
    toEvent: undefined,
    toNotification: undefined,
    isRetryable: undefined,
    beforeRequest: undefined,
    clock: undefined,
  }
  expect(values(resolveJsonRpcOptions(absent))).toEqual(values(resolveJsonRpcOptions()))
})

test('connectors and authentication take what may be undefined', () => {
  const own: Partial<WebSocketSinkOptions> = {
    messageType: undefined,
    format: undefined,
    queue: undefined,
    maxAttempts: undefined,
    onError: undefined,
    headers: undefined,
    reconnect: undefined,
  }
  const url = 'ws://localhost/'
  expect(webSocketSink({ url, ...own }).isConnected).toBe(false)
  const source = webSocketSource({ url, format: undefined, decompress: undefined, tls: undefined })
  expect(source.deadLetters).toBeDefined()
  const absent: Required<TokenAuthOptions> = {
    token: 't',
    message: undefined,
    read: undefined,
    renewBeforeMs: undefined,
    timeoutMs: undefined,
    onState: undefined,
  }
  expect(Object.keys(tokenAuth(absent))).toEqual(Object.keys(tokenAuth({ token: 't' })))
})
