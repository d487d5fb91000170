import { createEvent } from '@bus/core'
import { channelDialect, serveChannels, type DialectOptions } from '@bus/test-support/websocket'
import type { WebSocketTransport, WebSocketTransportOptions } from '../src/index.ts'
import { Collector, collect, only, record, transportTo, until } from './harness.ts'
import { describe, expect, test } from 'vitest'

type Options = Omit<WebSocketTransportOptions, 'url' | 'protocol'>

function channelsTo(
  server: { readonly url: string },
  options: Options = {},
  dialect: DialectOptions = {},
): WebSocketTransport {
  return transportTo(server, { ...options, protocol: channelDialect(dialect) })
}

/** Breaks the link and waits for the next one. */
async function relink(
  server: Awaited<ReturnType<typeof serveChannels>>,
  transport: WebSocketTransport,
): Promise<void> {
  const links = server.mock.connections.length
  server.mock.faults.reset()
  await server.mock.waitForConnection({ index: links })
  await until(() => transport.status.state === 'ready', 'ready again')
}

describe('subscriptions on the server', () => {
  test('are requested once, however many have the same, and ended with the last of them', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    await transport.connect()
    const first = await collect(transport, 'a', 'b')
    const second = await collect(transport, 'b', 'c')
    expect(server.log).toEqual(['sub a b', 'sub c'])
    await first.feed.unsubscribe()
    expect(server.log.slice(2)).toEqual(['unsub a'])
    await second.feed.unsubscribe()
    expect(server.log.slice(3)).toEqual(['unsub b c'])
    await second.feed.unsubscribe()
    expect(server.patterns).toEqual([])
  })

  test('requests nothing when there are none, and all with one request on a new link', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    await transport.connect()
    await relink(server, transport)
    expect(server.log).toEqual([])
    await Promise.all(['a', 'b', 'c'].map((pattern) => collect(transport, pattern)))
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['sub a b c'])
  })

  test('does not restore one that has ended, although its events still came', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    const [a, b] = [await collect(transport, 'a'), await collect(transport, 'b')]
    await a.feed.unsubscribe()
    server.emit('a', 1)
    server.emit('b', 1)
    await until(() => b.events.length === 1, 'the other event arrives')
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['sub b'])
    expect(a.events).toEqual([])
  })

  test('stays subscribed when it is subscribed, unsubscribed and subscribed again in one tick [F90]', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    await transport.connect()
    const [first, second] = [new Collector(), new Collector()]
    const gone = transport.subscribe(['a'], first)
    const ended = gone.unsubscribe()
    const feed = transport.subscribe(['a'], second)
    await expect(gone.live).rejects.toMatchObject({ code: 'aborted' })
    await Promise.all([feed.live, ended])
    expect(server.patterns).toEqual(['a'])
    server.emit('a', 1)
    await until(() => second.events.length === 1, 'the event arrives')
    expect(first.events).toEqual([])
  })

  test('follows a subscription that ends while it is restored', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    const [a, b] = [await collect(transport, 'a'), await collect(transport, 'b')]
    server.isSilent = true
    server.mock.faults.reset()
    await until(() => server.log.at(-1) === 'sub a b', 'it asks again')
    await a.feed.unsubscribe()
    const c = new Collector()
    const added = transport.subscribe(['c'], c)
    server.answer()
    await added.live
    await until(() => server.patterns.join() === 'b,c', 'the server is told')
    server.emit('b', 1)
    await until(() => b.events.length === 1, 'the event arrives')
  })

  test('requests them again on the next link when the link breaks before the answer', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    await transport.connect()
    const notices = record(transport)
    server.isSilent = true
    const sink = new Collector()
    const feed = transport.subscribe(['a'], sink)
    const ended = new Collector()
    const other = transport.subscribe(['b'], ended)
    await until(() => server.log.includes('sub a'), 'it asks')
    server.isSilent = false
    await relink(server, transport)
    await Promise.all([feed.live, other.live])
    expect(server.patterns).toEqual(['a', 'b'])
    // Nothing was live before, so nothing was restored; and a lost link is no failure of a subscription.
    expect(only(notices, 'error').filter(({ kind }) => kind === 'subscription')).toEqual([])
  })
})

describe('a server that refuses a pattern', () => {
  test('ends only the subscription that matches', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    const good = await collect(transport, 'a')
    server.refused.add('secret')
    const sink = new Collector()
    await expect(transport.subscribe(['secret'], sink).live).rejects.toMatchObject({
      code: 'rejected',
    })
    server.emit('secret', 1)
    server.emit('a', 1)
    await until(() => good.events.length === 1, 'the other lives')
    expect(sink.events).toEqual([])
    server.log.length = 0
    await relink(server, transport)
    expect(server.log).toEqual(['sub a'])
  })

  test('gets a request not to send the other patterns of that subscription', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    const b = await collect(transport, 'b')
    server.refused.add('secret')
    const feed = transport.subscribe(['a', 'b', 'secret'], new Collector())
    await expect(feed.live).rejects.toMatchObject({ code: 'rejected' })
    await until(() => server.log.includes('unsub a secret'), 'it is told')
    server.emit('b', 1)
    await until(() => b.events.length === 1, 'the other lives')
  })

  test('when it is restored, gets the others all the same, and the refused one is named', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    const all = [await collect(transport, 'a'), await collect(transport, 'b')]
    await collect(transport, 'c')
    const notices = record(transport)
    server.refused.add('b')
    await relink(server, transport)
    expect(only(notices, 'subscriptions-failed')).toMatchObject([
      { patterns: ['b'], error: { code: 'rejected' } },
    ])
    expect(only(notices, 'subscriptions-restored')).toEqual([{ patterns: ['a', 'c'] }])
    server.refused.clear()
    await relink(server, transport)
    expect(only(notices, 'subscriptions-restored').at(-1)).toEqual({ patterns: ['a', 'b', 'c'] })
    server.emit('b', 1)
    await until(() => all[1]?.events.length === 1, 'it lives again')
  })
})

describe('a server that does not answer', () => {
  test('lets the subscription fail in time, and does not hold up the next', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server, { timeouts: { bootstrapMs: 50 } })
    await transport.connect()
    server.isSilent = true
    const lost = transport.subscribe(['a'], new Collector())
    await until(() => server.log.includes('sub a'), 'it asks')
    const next = transport.subscribe(['b'], new Collector())
    await expect(lost.live).rejects.toMatchObject({ code: 'timeout' })
    server.isSilent = false
    await next.live
    expect(server.log).toEqual(['sub a', 'unsub a', 'sub b'])
    expect(server.patterns).toEqual(['b'])
  })

  test('learns of the end when the subscriber stops waiting', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    await transport.connect()
    server.isSilent = true
    const abort = new AbortController()
    const feed = transport.subscribe(['a'], new Collector(), { signal: abort.signal })
    await until(() => server.log.includes('sub a'), 'it asks')
    abort.abort('enough')
    await expect(feed.live).rejects.toMatchObject({ code: 'aborted', cause: 'enough' })
    server.answer()
    await until(() => server.log.includes('unsub a'), 'it is told')
    expect(server.patterns).toEqual([])
  })

  test('does not keep the transport from closing, which ends every wait', async () => {
    const server = await serveChannels()
    const transport = channelsTo(server)
    const b = await collect(transport, 'b')
    server.isSilent = true
    const feed = transport.subscribe(['a'], new Collector())
    const ended = b.feed.unsubscribe()
    await transport.close()
    await expect(feed.live).rejects.toMatchObject({ code: 'closed' })
    await ended
    await expect(transport.subscribe(['c'], new Collector()).live).rejects.toMatchObject({
      code: 'closed',
    })
  })
})

test('reads on for the answer to a request although a subscription has no room, and then waits again', async () => {
  const server = await serveChannels()
  const transport = channelsTo(server, { timeouts: { bootstrapMs: 1_000 } })
  const slow = await collect(transport, 'a')
  slow.hasRoom = false
  server.emit('a', 1)
  await until(() => slow.events.length === 1, 'it is full')
  const other = await collect(transport, 'b')
  server.emit('a', 2)
  server.emit('b', 1)
  await transport.publish(createEvent('x', 1))
  await until(() => server.log.includes('event x'), 'the event arrives')
  expect([slow.events.length, other.events.length]).toEqual([1, 0])
  slow.hasRoom = true
  slow.feed.ready()
  await until(() => other.events.length === 1 && slow.events.length === 2, 'the events arrive')
})

test('makes a new link ready although a subscription had no room when the last one broke', async () => {
  const server = await serveChannels()
  const transport = channelsTo(server, { timeouts: { bootstrapMs: 500 } })
  const slow = await collect(transport, 'a')
  slow.hasRoom = false
  server.emit('a', 1)
  await until(() => slow.events.length === 1, 'it is full')
  server.isSilent = true
  server.mock.faults.reset()
  // Reading stands still, so only a write can tell that the link is gone.
  void transport.publish(createEvent('x', 1))
  await until(() => server.log.filter((line) => line === 'sub a').length === 2, 'it asks again')
  server.emit('a', 2)
  server.answer()
  await until(() => transport.status.state === 'ready', 'ready again')
  slow.hasRoom = true
  slow.feed.ready()
  await until(() => slow.events.length === 2, 'the event arrives')
})
