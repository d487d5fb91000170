import type { ErrorKind } from '@bus/core'
import { serve, until } from '@bus/test-support/websocket'
import {
  webSocketSink,
  webSocketSource,
  type ErrorLogLevel,
  type Properties,
  type WebSocketSource,
} from '../src/index.ts'
import { Received, sourceFrom } from './connectors.ts'
import { describe, expect, onTestFinished, test } from 'vitest'

/** A live source whose callback fails with each message, and what it told of that. */
async function failing(properties: Properties) {
  const server = await serve()
  const received = new Received()
  received.failure = new Error('callback')
  const told: [ErrorKind, ErrorLogLevel][] = []
  const source: WebSocketSource = sourceFrom(server, properties, {
    onError: (_error, kind, level) => void told.push([kind, level]),
  })
  await source.start(received.callback)
  return { server, received, source, told }
}

/** The kinds of the messages that a server gets from a sink with these properties. */
async function kindsFrom(properties: Properties): Promise<string[]> {
  const server = await serve()
  const sink = webSocketSink({ 'websocket.url': server.url, ...properties })
  onTestFinished(async () => void (await sink.stop({ timeoutMs: 0 })))
  await sink.publish('one')
  await server.waitForMessage(() => true)
  return server.received.map(({ kind }) => kind)
}

describe('strategy, log level and message type', () => {
  test('are drop, warn and text where nothing is said', async () => {
    const { server, received, source, told } = await failing({})
    server.inject('a')
    server.inject('b')
    await until(() => received.messages.length === 2, 'it goes on')
    expect(told).toEqual([
      ['handler', 'warn'],
      ['handler', 'warn'],
    ])
    expect([source.isRunning, source.stats()?.retried]).toEqual([true, 0])
    expect(await kindsFrom({})).toEqual(['text'])
  })

  test('are known in upper and in lower case', async () => {
    for (const [strategy, level] of [
      ['FAIL', 'ERROR'],
      ['Fail', 'eRRor'],
      ['fail', 'error'],
    ]) {
      const { server, source, told } = await failing({
        'error.strategy': strategy,
        'error.log-level': level,
      })
      server.inject('a')
      await expect(source.closed).rejects.toMatchObject({ code: 'handler' })
      expect(told).toContainEqual(['handler', 'error'])
    }
    for (const type of ['BINARY', 'Binary', 'binary']) {
      expect(await kindsFrom({ 'websocket.message.type': type })).toEqual(['binary'])
    }
  })
})

describe('a source is refused when it is made, not when it fails,', () => {
  const dlq = { 'error.strategy': 'dlq' }

  test.each<[string, Properties, string]>([
    ['without the stream of its dead letters', dlq, 'error.dlq.stream'],
    ['with an empty stream', { ...dlq, 'error.dlq.stream': '' }, 'error.dlq.stream'],
    [
      'with a fallback that retries and does not say how often',
      { ...dlq, 'error.dlq.stream': 'Failed', 'error.dlq.fallback-strategy': 'retry' },
      'error.dlq.fallback-retry.max-attempts',
    ],
  ])('%s', (_mistake, properties, path) => {
    const url = { 'websocket.url': 'ws://127.0.0.1:1' }
    const deadLetterStreams = { Failed: () => {} }
    expect(() => webSocketSource({ ...url, ...properties }, { deadLetterStreams })).toThrow(
      expect.objectContaining({ code: 'config', path }) as Error,
    )
  })
})
