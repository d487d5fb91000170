import { gzipSync } from 'node:zlib'
import { ConnectionError } from '@bus/core'
import { serve, transportTo, until } from '@bus/test-support/websocket'
import {
  ConnectorRegistry,
  fromProperties,
  webSocketSink,
  webSocketSinkFactory,
  webSocketSource,
  webSocketSourceFactory,
  type Properties,
  type WebSocketSink,
  type WebSocketSource,
} from '../src/index.ts'
import { Received } from './connectors.ts'
import { describe, expect, onTestFinished, test } from 'vitest'

function registries() {
  const disposables: AsyncDisposable[] = []
  onTestFinished(async () => {
    for (const item of disposables) await item[Symbol.asyncDispose]()
  })
  const keep = <T extends AsyncDisposable>(item: T): T => {
    disposables.push(item)
    return item
  }
  const sources = new ConnectorRegistry<WebSocketSource>().register(webSocketSourceFactory())
  const sinks = new ConnectorRegistry<WebSocketSink>().register(webSocketSinkFactory())
  return {
    source: (properties: Properties) => keep(sources.create('websocket', properties)),
    sink: (properties: Properties) => keep(sinks.create('websocket', properties)),
  }
}

const url = { 'websocket.url': 'ws://127.0.0.1:1' }

describe('the factories', () => {
  test('have a name, formats, and the properties that they need and know', () => {
    const [source, sink] = [webSocketSourceFactory(), webSocketSinkFactory()]
    for (const factory of [source, sink]) {
      expect(factory).toMatchObject({
        name: 'websocket',
        supportedFormats: ['json', 'text', 'bytes'],
        requiredParameters: ['websocket.url'],
      })
      expect(factory.optionalParameters).toEqual(
        expect.arrayContaining([
          'websocket.reconnect',
          'websocket.reconnect.delay.ms',
          'websocket.reconnect.max.delay.ms',
          'websocket.reconnect.max.attempts',
          'websocket.headers.*',
          'websocket.subprotocol',
        ]),
      )
    }
    expect(source.optionalParameters).toEqual(
      expect.arrayContaining([
        'websocket.subscribe.message',
        'websocket.compression',
        'error.strategy',
        'error.retry.max-attempts',
        'error.dlq.stream',
      ]),
    )
    expect(sink.optionalParameters).toContain('websocket.message.type')
  })

  test('create a source and a sink from what they need alone', () => {
    const { source, sink } = registries()
    expect(source({ ...url, format: 'json' }).isRunning).toBe(false)
    expect(sink({ ...url, format: 'bytes' }).isConnected).toBe(false)
  })

  test('refuse a missing url, by the name of its property', () => {
    const { source, sink } = registries()
    expect(() => source({ format: 'json' })).toThrow('Expected `websocket.url` to be given')
    expect(() => sink({ format: 'json' })).toThrow('Expected `websocket.url` to be given')
    expect(() => webSocketSource({})).toThrow('Expected `websocket.url` to be given')
  })

  test('refuse a source without a format, since they declare formats, and a format that they do not know', () => {
    const { source } = registries()
    expect(() => source(url)).toThrow(/`format` to be one of json, text, bytes/)
    expect(() => source({ ...url, format: 'xml' })).toThrow(/`format` to be one of .*got `xml`/)
    expect(() => webSocketSourceFactory().create(url)).toThrow(/`format`/)
    expect(() => webSocketSinkFactory().create(url)).toThrow(/`format`/)
  })

  test('take what holds for all of their connectors', async () => {
    const server = await serve()
    const errors: unknown[] = []
    const overrides = {
      onError: (error: Error) => void errors.push(error),
      reconnect: { backoff: () => 1 },
    }
    const source = webSocketSourceFactory(overrides).create({
      'websocket.url': server.url,
      format: 'json',
    })
    onTestFinished(async () => void (await source.stop()))
    await source.start(() => {})
    server.inject('no json')
    await until(() => errors.length === 1, 'it is told')
  })
})

describe('properties', () => {
  test.each<[Properties, string]>([
    [{ 'websocket.reconnect.delay.ms': 'soon' }, 'websocket.reconnect.delay.ms'],
    [{ 'websocket.reconnect.delay.ms': '0' }, 'websocket.reconnect.delay.ms'],
    [{ 'websocket.reconnect.max.delay.ms': '999' }, 'websocket.reconnect.max.delay.ms'],
    [{ 'websocket.reconnect.max.attempts': 'many' }, 'websocket.reconnect.max.attempts'],
    [{ 'websocket.reconnect.max.attempts': '-2' }, 'websocket.reconnect.max.attempts'],
    [{ 'websocket.reconnect': 'maybe' }, 'websocket.reconnect'],
    [{ 'websocket.reconect': 'true' }, 'websocket.reconect'],
    [{ 'websocket.subprotocol': '' }, 'websocket.subprotocol'],
    [{ 'websocket.header.A': 'x' }, 'websocket.header.A'],
  ])('of a connection are refused by their key: %j', (more, path) => {
    const refused = expect.objectContaining({ code: 'config', path }) as unknown as Error
    expect(() => webSocketSource({ ...url, ...more })).toThrow(refused)
    expect(() => webSocketSink({ ...url, ...more })).toThrow(refused)
    expect(() => fromProperties({ ...url, ...more })).toThrow(refused)
  })

  test('of one kind of connector are not known to the other', () => {
    expect(() => webSocketSource({ ...url, 'websocket.message.type': 'text' })).toThrow(
      'Unknown property `websocket.message.type`',
    )
    expect(() => webSocketSink({ ...url, 'error.strategy': 'drop' })).toThrow(
      'Unknown property `error.strategy`',
    )
    expect(() => webSocketSink({ ...url, 'websocket.message.type': 'xml' })).toThrow(
      'Expected `websocket.message.type` to be one of text, binary, got `xml`',
    )
  })

  test('of the url are checked when the connector is made', () => {
    expect(() => webSocketSource({ 'websocket.url': 'http://a' })).toThrow(/`url`/)
    expect(() => webSocketSink({ 'websocket.url': 'nowhere' })).toThrow(/`url`/)
  })

  test('say how to reconnect: from 1 s, doubling, at most 30 s, without end for a source and three times for a sink', () => {
    const delays = (options: ReturnType<typeof fromProperties>): number[] => {
      const { reconnect } = options
      if (reconnect === undefined || reconnect === false) return []
      const lost = new ConnectionError('lost')
      return [1, 2, 3, 6, 7].map((attempt) => Number(reconnect.backoff?.(attempt, () => 0.5, lost)))
    }
    const options = fromProperties(url)
    expect(delays(options)).toEqual([1_000, 2_000, 4_000, 30_000, 30_000])
    expect(options.reconnect).toMatchObject({ maxAttempts: Infinity })
    const own = fromProperties({
      ...url,
      'websocket.reconnect.delay.ms': '500ms',
      'websocket.reconnect.max.delay.ms': '1s',
      'websocket.reconnect.max.attempts': '7',
    })
    expect(delays(own)).toEqual([500, 1_000, 1_000, 1_000, 1_000])
    expect(own.reconnect).toMatchObject({ maxAttempts: 7 })
    const unlimited = fromProperties({ ...url, 'websocket.reconnect.max.attempts': '-1' })
    expect(unlimited.reconnect).toMatchObject({ maxAttempts: Infinity })
    expect(fromProperties({ ...url, 'websocket.reconnect': 'FALSE' }).reconnect).toBe(false)
    const equal = { 'websocket.reconnect.delay.ms': '5s', 'websocket.reconnect.max.delay.ms': '5s' }
    expect(delays(fromProperties({ ...url, ...equal }))[0]).toBe(5_000)
    const long = fromProperties({ ...url, 'websocket.reconnect.delay.ms': '1m' })
    expect(delays(long)[0]).toBe(60_000)
  })

  test('limit the attempts of a sink to three after the first where they say nothing', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const quick = {
      'websocket.url': server.url,
      'websocket.reconnect.delay.ms': '1',
      'websocket.reconnect.max.delay.ms': '2',
    }
    const sink = webSocketSink(quick)
    await expect(sink.publish('a')).rejects.toMatchObject({ code: 'closed' })
    expect(server.upgradeAttempts).toBe(4)
    const one = webSocketSink({ ...quick, 'websocket.reconnect.max.attempts': '1' })
    await expect(one.publish('a')).rejects.toMatchObject({ code: 'closed' })
    expect(server.upgradeAttempts).toBe(6)
    const none = webSocketSink({ ...quick, 'websocket.reconnect': 'false' })
    await expect(none.publish('a')).rejects.toMatchObject({ code: 'closed' })
    expect(server.upgradeAttempts).toBe(7)
  })

  test('carry headers and a subprotocol to the server, of any transport', async () => {
    const server = await serve()
    const properties = {
      'websocket.url': server.url,
      'websocket.headers.Authorization': 'Bearer t',
      'websocket.headers.X-Api-Key': 'k',
      'websocket.subprotocol': 'v1.json',
    }
    const { source, sink } = registries()
    await source({ ...properties, format: 'json' }).start(() => {})
    await sink({ ...properties, format: 'json' }).start()
    const { url: _url, reconnect: _reconnect, ...options } = fromProperties(properties)
    await transportTo(server, options).connect()
    expect(server.upgrades).toHaveLength(3)
    for (const { headers } of server.upgrades) {
      expect(headers).toMatchObject({
        authorization: 'Bearer t',
        'x-api-key': 'k',
        'sec-websocket-protocol': 'v1.json',
      })
    }
  })

  test('send a subscribe message after connecting, and inflate what the server compressed', async () => {
    const server = await serve({
      handler: (message, connection) => {
        if (message.text === '{"type":"subscribe"}') connection.send(gzipSync('{"tick":1}'))
      },
    })
    const { source } = registries()
    const received = new Received()
    await source({
      'websocket.url': server.url,
      'websocket.subscribe.message': '{"type":"subscribe"}',
      'websocket.compression': 'GZIP',
      format: 'json',
    }).start(received.callback)
    await until(() => received.messages.length === 1, 'it answers')
    expect(received.messages[0]).toMatchObject({ kind: 'binary', value: { tick: 1 } })
  })

  test('limit what a compressed message may become', async () => {
    const server = await serve()
    const errors: string[] = []
    const source = webSocketSource(
      {
        'websocket.url': server.url,
        'websocket.compression': 'gzip',
        'websocket.compression.max.bytes': '10',
      },
      { onError: ({ message }) => errors.push(message) },
    )
    onTestFinished(async () => void (await source.stop()))
    await source.start(() => {})
    server.inject(gzipSync('12345678901'))
    await until(() => errors.length === 1, 'it is told')
    expect(errors[0]).toMatch(/more than 10 bytes/)
  })

  test('lead to streams only where they are read from properties', () => {
    const deadLetterStreams = { Failed: () => {} }
    expect(() => webSocketSource({ url: 'ws://a' }, { deadLetterStreams })).toThrow(
      'Expected `deadLetterStreams` only with properties',
    )
    expect(() =>
      webSocketSource(
        { ...url, 'error.strategy': 'dlq', 'error.dlq.stream': 'Other' },
        { deadLetterStreams },
      ),
    ).toThrow(/`error\.dlq\.stream` to be one of the streams that are there \(Failed\)/)
  })
})

describe('a pipeline of connectors', () => {
  test('carries messages from a source through a processing to a sink', async () => {
    const [from, to] = [await serve(), await serve()]
    const { source, sink } = registries()
    const output = sink({
      'websocket.url': to.url,
      'websocket.message.type': 'binary',
      format: 'json',
    })
    const input = source({ 'websocket.url': from.url, format: 'json' })
    await input.start(async (_data, { value }) => {
      const { symbol, price } = value as { readonly symbol: string; readonly price: number }
      if (price > 100) await output.publish(JSON.stringify({ symbol, alert: 'high' }))
    })
    for (const [n, symbol] of ['A', 'B', 'C', 'D'].entries()) {
      from.inject({ symbol, price: 60 * n })
    }
    await to.waitUntil(() => to.received.length === 2)
    expect(to.received.map(({ kind, json }) => [kind, json])).toEqual([
      ['binary', { symbol: 'C', alert: 'high' }],
      ['binary', { symbol: 'D', alert: 'high' }],
    ])
  })

  test('does not lose a message while the connection of its sink is down', async () => {
    const [from, to] = [await serve(), await serve()]
    const quick = { 'websocket.reconnect.delay.ms': '5', 'websocket.reconnect.max.attempts': '-1' }
    const { source, sink } = registries()
    const output = sink({ ...quick, 'websocket.url': to.url, format: 'text' })
    await output.start()
    await source({ ...quick, 'websocket.url': from.url, format: 'text' }).start(async (data) => {
      await output.publish(data)
    })
    await to.restart({
      whileDown: async () => {
        await until(() => !output.isConnected, 'the loss is seen')
        for (const text of ['a', 'b', 'c']) from.inject(text)
      },
    })
    await to.waitUntil(() => to.received.length === 3)
    expect(to.received.map(({ text }) => text)).toEqual(['a', 'b', 'c'])
  })

  test('reads streams that are combined by the URL over one connection, each named in its messages', async () => {
    const server = await serve({
      onConnection: (connection) => {
        const names = new URL(connection.request.url, 'ws://x').searchParams.get('streams')
        for (const stream of names?.split('/') ?? []) connection.send({ stream, data: { p: '1' } })
      },
    })
    const { source } = registries()
    const received = new Received()
    await source({
      'websocket.url': `${server.url}stream?streams=btcusdt@trade/ethusdt@trade`,
      format: 'json',
    }).start(received.callback)
    await until(() => received.messages.length === 2, 'both streams deliver')
    expect(received.messages.map(({ value }) => value)).toEqual([
      { stream: 'btcusdt@trade', data: { p: '1' } },
      { stream: 'ethusdt@trade', data: { p: '1' } },
    ])
    expect(server.connections).toHaveLength(1)
    expect(server.upgrades[0]?.url).toBe('/stream?streams=btcusdt@trade/ethusdt@trade')
  })
})
