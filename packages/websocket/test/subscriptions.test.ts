import { createEvent } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { Collector, collect, frameOf, serve, transportTo, until } from './harness.ts'

test('publishes and receives five events in both directions, and keeps their correlation ids', async () => {
  const server = await serve({ handler: 'echo' })
  const transport = transportTo(server)
  const received = await collect(transport)
  const sent = Array.from({ length: 5 }, (_, n) =>
    createEvent('order.created', { n }, { correlationId: `c-${n}`, source: 'shop' }),
  )
  for (const event of sent) await transport.publish(event)
  await until(() => received.events.length === 5, 'all come back')
  expect(received.events).toEqual(sent)
})

describe('which events a subscription gets', () => {
  test('is all of its own types and none of the others, and everything without a pattern', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const orders = await collect(transport, 'order.created')
    const alsoOrders = await collect(transport, 'order.created')
    const users = await collect(transport, 'user.created', 'user.deleted')
    const all = await collect(transport)
    for (let n = 0; n < 10; n++) {
      server.inject(frameOf('order.created', n))
      server.inject(frameOf(n % 2 === 0 ? 'user.created' : 'user.deleted', n))
      server.inject(frameOf('order.created.eu', n))
    }
    await until(() => all.events.length === 30, 'all arrive')
    const numbers = Array.from({ length: 10 }, (_, n) => n)
    expect(orders.payloads).toEqual(numbers)
    expect(alsoOrders.payloads).toEqual(numbers)
    expect(users.payloads).toEqual(numbers)
    expect(new Set(users.events.map((event) => event.type)).size).toBe(2)
  })

  test('is each match once, whatever of its patterns overlap [F92]', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const sink = await collect(transport, 'order.created', 'order.*', 'order.>', '>')
    server.inject(frameOf('order.created', 1))
    server.inject(frameOf('order.a.b', 2))
    server.inject(frameOf('order', 3))
    await until(() => sink.events.length === 3, 'all arrive')
    expect(sink.payloads).toEqual([1, 2, 3])
  })

  test('begins with what is sent after it is live', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const sink = new Collector()
    const feed = transport.subscribe([], sink)
    expect(transport.status.state).not.toBe('ready')
    await feed.live
    expect(transport.status.state).toBe('ready')
    server.inject(frameOf('a', 1))
    await until(() => sink.events.length === 1, 'it arrives')
  })

  test('is refused where a pattern does not follow the grammar', async () => {
    const server = await serve()
    const transport = transportTo(server)
    for (const bad of ['', 'a..b', 'a.>.b', 'a b', '*a']) {
      expect(() => transport.subscribe([bad], new Collector())).toThrow(/pattern/i)
    }
    expect(transport.status.state).toBe('idle')
  })
})

describe('unsubscribing', () => {
  test('ends delivery at once, also from within it and for another [F91]', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const seen: string[] = []
    // The one that is served later ends with the first event, before it got that.
    const later = transport.subscribe(['a'], { deliver: () => seen.push('later') > 0 })
    const own = transport.subscribe(['a'], {
      deliver: () => {
        seen.push('own')
        void own.unsubscribe()
        void later.unsubscribe()
        return true
      },
    })
    const other = await collect(transport, 'a')
    await later.live
    server.inject(frameOf('a', 1))
    server.inject(frameOf('a', 2))
    await until(() => other.events.length === 2, 'the other gets both')
    expect(seen).toEqual(['own'])
  })

  test('may be done twice, and by one that is not live yet, whose wait then rejects', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server)
    const feed = transport.subscribe([], new Collector())
    await Promise.all([feed.unsubscribe(), feed.unsubscribe()])
    await expect(feed.live).rejects.toMatchObject({ code: 'aborted' })
  })

  test('leaves nothing that receives, and subscribing again does', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const first = await collect(transport, 'a')
    await first.feed.unsubscribe()
    const second = await collect(transport, 'a')
    server.inject(frameOf('a', 1))
    await until(() => second.events.length === 1, 'it arrives')
    expect(first.events).toEqual([])
  })
})

describe('a signal', () => {
  test('ends the wait for a subscription to be live, and the subscription', async () => {
    const server = await serve()
    server.faults.hangUpgrade({ times: 1 })
    const transport = transportTo(server, { timeouts: { connectMs: 50 } })
    const abort = new AbortController()
    const sink = new Collector()
    const feed = transport.subscribe([], sink, { signal: abort.signal })
    abort.abort('enough')
    await expect(feed.live).rejects.toMatchObject({ name: 'AbortError', cause: 'enough' })
    const other = await collect(transport)
    server.inject(frameOf('a', 1))
    await until(() => other.events.length === 1, 'the other gets it')
    expect(sink.events).toEqual([])
  })

  test('that is aborted already subscribes to nothing', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const sink = new Collector()
    const feed = transport.subscribe([], sink, { signal: AbortSignal.abort() })
    await expect(feed.live).rejects.toMatchObject({ code: 'aborted' })
    const other = await collect(transport)
    server.inject(frameOf('a', 1))
    await until(() => other.events.length === 1, 'the other gets it')
    expect(sink.events).toEqual([])
  })
})

test('every subscription gets a payload of its own, and an envelope that cannot be changed [F110]', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const spoil = {
    deliver: (event: { readonly payload: unknown }): boolean => {
      const payload = event.payload as { list: number[] }
      payload.list.push(99)
      return true
    },
  }
  await transport.subscribe(['a'], spoil).live
  const middle = await collect(transport, 'a')
  await transport.subscribe(['>'], spoil).live
  const last = await collect(transport, '>')
  server.inject(frameOf('a', { list: [1] }))
  await until(() => last.events.length === 1, 'it arrives')
  expect(middle.payloads).toEqual([{ list: [1] }])
  expect(last.payloads).toEqual([{ list: [1] }])
  expect(Object.isFrozen(last.events[0])).toBe(true)
  expect(Object.isFrozen(last.events[0]?.metadata)).toBe(true)
})

test('does not deliver what still arrives after close [F77]', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const sink = await collect(transport)
  const streaming = new AbortController()
  const stream = async (): Promise<void> => {
    for (let n = 0; !streaming.signal.aborted; n++) {
      server.inject(frameOf('a', n))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const streamed = stream()
  await until(() => sink.events.length > 10, 'events come')
  const closing = transport.close()
  const { length } = sink.events
  await closing
  streaming.abort()
  await streamed
  expect(sink.events).toHaveLength(length)
})
