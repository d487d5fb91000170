import { createEvent } from '@bus/core'
import { channelDialect, serveChannels, type DialectOptions } from '@bus/test-support/websocket'
import type { WebSocketTransport, WebSocketTransportOptions } from '../src/index.ts'
import { Collector, collect, only, record, transportTo, until } from './harness.ts'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'

type Options = Omit<WebSocketTransportOptions, 'url' | 'protocol'>

function channelsTo(
  server: { readonly url: string },
  options: Options = {},
  dialect: DialectOptions = {},
): WebSocketTransport {
  return transportTo(server, { ...options, protocol: channelDialect(dialect) })
}

describe('making a link ready', () => {
  test('authenticates, sends the frames of onOpen, restores the subscriptions, releases the outbox and emits open, in this order on every link', async () => {
    const server = await serveChannels()
    const transport = channelsTo(
      server,
      { onOpen: () => [JSON.stringify({ event_type: 'hello' })] },
      { token: 't' },
    )
    transport.on('subscriptions-restored', () => server.log.push('restored'))
    transport.on('open', () => server.log.push('open'))
    const first = transport.publish(createEvent('one', 1))
    await collect(transport, 'a', 'b')
    await first
    await until(() => server.log.includes('event one'), 'it arrives')
    const ownOrder = (): string[] => server.log.filter((line) => line !== 'open')
    expect(ownOrder()).toEqual(['auth', 'event hello', 'sub a b', 'event one'])
    server.log.length = 0
    await server.mock.restart({
      whileDown: async () => {
        await until(() => transport.status.state === 'backoff', 'the loss is seen')
        void transport.publish(createEvent('two', 2))
      },
    })
    await until(() => server.log.includes('event two'), 'it arrives')
    expect(ownOrder()).toEqual(['auth', 'event hello', 'sub a b', 'restored', 'event two'])
    expect(server.log.indexOf('open')).toBeGreaterThan(server.log.indexOf('restored'))
  })

  test('emits open only after the server has confirmed the subscriptions', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    const events = await collect(transport, 'a')
    server.isSilent = true
    const notices = record(transport)
    server.mock.faults.reset()
    await until(() => transport.status.state === 'bootstrapping', 'a new link')
    await until(() => server.log.filter((line) => line === 'sub a').length === 2, 'it asks again')
    const sent = transport.publish(createEvent('x', 1))
    await nextTurn()
    expect(only(notices, 'open')).toEqual([])
    expect(server.log).not.toContain('event x')
    server.answer()
    await sent
    expect(only(notices, 'open')).toMatchObject([{ reconnected: true, generation: 2 }])
    expect(only(notices, 'subscriptions-restored')).toEqual([{ patterns: ['a'] }])
    server.emit('a', 1)
    await until(() => events.events.length === 1, 'the event arrives')
  })

  test('hears a greeting that the server sends at once, before the protocol has begun to wait for it', async () => {
    const server = await serveChannels({
      onConnection: (connection) => void connection.send({ op: 'welcome' }),
    })
    const transport = channelsTo(
      server,
      { timeouts: { bootstrapMs: 1_000 } },
      // The greeting has been read by then.
      { greetedAfter: () => frames.next() },
    )
    const frames = transport.frames()
    const notices = record(transport)
    await transport.connect()
    expect(only(notices, 'undeliverable')).toEqual([])
  })

  test('delivers events that came while the link was made ready, in order', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    server.isSilent = true
    const sink = new Collector()
    const feed = transport.subscribe(['a'], sink)
    await until(() => server.log.includes('sub a'), 'it asks')
    for (let n = 0; n < 500; n++) server.emit('a', n)
    server.answer()
    await feed.live
    await until(() => sink.events.length === 500, 'all arrive')
    expect(sink.payloads).toEqual(Array.from({ length: 500 }, (_, n) => n))
  })

  test('counts an attempt as failed whose subscriptions the server does not confirm in time, and reports which they were', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server, { timeouts: { bootstrapMs: 50 } })
    await collect(transport, 'a')
    const notices = record(transport)
    server.isSilent = true
    server.mock.faults.reset()
    await until(() => only(notices, 'subscriptions-failed').length > 0, 'it is told')
    expect(only(notices, 'subscriptions-failed')[0]).toMatchObject({ patterns: ['a'] })
    expect(only(notices, 'open')).toEqual([])
    server.answer()
    await until(() => transport.status.state === 'ready', 'ready again')
  })
})
