import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { getEventListeners } from 'node:events'
import { createBus, createEvent, type Undeliverable } from '@bus/core'
import { channelDialect, serveChannels } from '@bus/test-support/websocket'
import type { MockServer } from '@bus/testing'
import {
  WebSocketTransport,
  busV1,
  type Handover,
  type WebSocketTransportOptions,
} from '../src/index.ts'
import {
  Collector,
  collect,
  frameOf,
  leavesNothing,
  record,
  resources,
  serve,
  states,
  transportTo,
  until,
} from './harness.ts'
import { startHub } from './hub-clients.ts'
import { describe, expect, onTestFinished, test } from 'vitest'

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, n) => n + from)

/** Takes over, for a test. */
function adopt(handover: Handover, options?: { claimWithinMs?: number }): WebSocketTransport {
  const transport = WebSocketTransport.adopt(handover, options)
  onTestFinished(() => transport.close())
  return transport
}

async function connected(
  options: Omit<WebSocketTransportOptions, 'url'> = {},
): Promise<{ readonly server: MockServer; readonly transport: WebSocketTransport }> {
  const server = await serve()
  const transport = transportTo(server, options)
  await transport.connect()
  return { server, transport }
}

describe('handing over a live connection', () => {
  test('gives the frames to the new owner alone, over the same socket', async () => {
    const { server, transport } = await connected()
    const old = await collect(transport, 'a')
    server.inject(frameOf('a', 1))
    await until(() => old.events.length === 1, 'the old owner has it')
    const adopted = adopt(await transport.detach())
    const next = await collect(adopted, 'a')
    server.inject(frameOf('a', 2))
    await until(() => next.events.length === 1, 'the new owner has it')
    expect([old.payloads, next.payloads]).toEqual([[1], [2]])
    expect(server.connections).toHaveLength(1)
    expect(adopted.status).toMatchObject({ state: 'ready', generation: 1 })
  })

  test('keeps what comes meanwhile for the subscriber to the same, in order and before the rest', async () => {
    const { server, transport } = await connected()
    await collect(transport, 'a', 'b.*')
    const handover = await transport.detach()
    expect(handover.subscriptions).toEqual([{ patterns: ['a', 'b.*'], delivery: 'at-least-once' }])
    for (const n of numbers(20)) server.inject(frameOf(n % 2 === 0 ? 'a' : 'b.c', n))
    const adopted = adopt(handover)
    const other = await collect(adopted, 'a')
    const next = await collect(adopted, 'b.*', 'a')
    for (const n of numbers(20, 20)) server.inject(frameOf('a', n))
    await until(() => next.events.length === 40 && other.events.length >= 20, 'all of it')
    expect(next.payloads).toEqual(numbers(40))
    // What was not subscribed before gets what comes from now on.
    expect(other.payloads.slice(-20)).toEqual(numbers(20, 20))
    expect(handover.subscriptions).toEqual([])
  })

  test('moves the queue and its publishes, which their callers go on waiting for', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server)
    const publishes = numbers(5).map((n) => transport.publish(createEvent('a', n)))
    expect(transport.backpressureStats().size).toBe(5)
    const adopted = adopt(await transport.detach())
    expect([transport.backpressureStats().size, adopted.backpressureStats().size]).toEqual([0, 5])
    server.faults.clear()
    publishes.push(adopted.publish(createEvent('a', 5)))
    await expect(Promise.all(publishes)).resolves.toHaveLength(6)
    await until(() => server.received.length === 6, 'all arrive')
    const payloads = server.received.map(
      ({ data }) => (JSON.parse(String(data)) as { payload: number }).payload,
    )
    expect(payloads).toEqual(numbers(6))
  })

  test('moves requests that wait for their answer', async () => {
    const { server, transport } = await connected()
    const answer = transport.request('question', ({ data }) => data === 'answer' || undefined)
    await server.waitForMessage('question')
    adopt(await transport.detach())
    server.inject('answer')
    await expect(answer).resolves.toBe(true)
  })

  test('moves subscriptions on the server, which requests nothing again', async () => {
    const server = await serveChannels()
    const transport = transportTo(server, { protocol: channelDialect() })
    await collect(transport, 'a')
    const adopted = adopt(await transport.detach())
    const next = await collect(adopted, 'a')
    server.emit('a', 1)
    await until(() => next.events.length === 1, 'it comes')
    expect(server.log).toEqual(['sub a'])
    // And back they come on the next link, for the new owner.
    server.mock.faults.reset()
    await until(() => server.log.length === 2, 'restored')
    server.emit('a', 2)
    await until(() => next.events.length === 2, 'it comes')
    await next.feed.unsubscribe()
    await until(() => server.log.length === 3, 'no longer wanted')
    expect(server.log).toEqual(['sub a', 'sub a', 'unsub a'])
  })

  test('goes on reconnecting, with or without an owner', async () => {
    const { server, transport } = await connected()
    await collect(transport, 'a')
    const handover = await transport.detach()
    server.faults.reset()
    await server.waitForConnection({ index: 1 })
    await until(() => handover.status.state === 'ready', 'ready again')
    const adopted = adopt(handover)
    const next = await collect(adopted, 'a')
    server.faults.reset()
    await server.waitForConnection({ index: 2 })
    await until(() => adopted.status.state === 'ready', 'ready again')
    server.inject(frameOf('a', 1))
    await until(() => next.events.length === 1, 'it comes')
  })

  test('is reported on the channel of hand-overs, from both sides', async () => {
    const told: unknown[] = []
    const listen = (message: unknown): void => void told.push(message)
    subscribe('bus.connection.handover', listen)
    onTestFinished(() => void unsubscribe('bus.connection.handover', listen))
    const { transport } = await connected({ telemetry: { id: 'the one' } })
    adopt(await transport.detach())
    const of = { transport: 'websocket', id: 'the one' }
    expect(told).toEqual([
      { ...of, action: 'detached' },
      { ...of, action: 'adopted' },
    ])
  })

  test('of one that has no socket yet hands over what there is', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const adopted = adopt(await transport.detach())
    await adopted.publish(createEvent('a', 1))
    expect(server.connections).toHaveLength(1)
  })

  test('reports to the new owner what was given up meanwhile', async () => {
    const { server, transport } = await connected()
    const handover = await transport.detach()
    server.inject('no event')
    server.inject(frameOf('a', 1))
    await until(() => handover.status.state === 'ready', 'still ready')
    await server.waitUntil(() => server.live.length === 1)
    const bus = createBus({ transport: adopt(handover) })
    onTestFinished(() => bus.close())
    await expect.poll(() => bus.deadLetters?.list()).toMatchObject([{ raw: 'no event' }])
  })
})

describe('the handle that has given its connection away', () => {
  test('answers `detached` to everything, and says that it is closed', async () => {
    const { server, transport } = await connected()
    const notices = record(transport)
    const waiting = transport.subscribe(['x'], new Collector())
    const handover = await transport.detach()
    onTestFinished(() => handover.close())
    const detached = { code: 'detached' }
    const calls = [
      transport.publish(createEvent('a', 1)),
      transport.connect(),
      transport.reconnect(),
      transport.detach(),
      transport.waitFor(() => true),
      transport.request('q', () => true),
      transport.subscribe(['a'], new Collector()).live,
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject(detached)
    await waiting.live
    expect(transport.status).toMatchObject({ state: 'closed', cause: detached })
    expect(transport.emit(createEvent('a', 1))).toBe(false)
    expect(states(notices)).toEqual(['closed'])
    await transport.close()
    expect(await transport.drain()).toEqual({ unsent: [], unhandled: 0 })
    expect(await transport.health()).toMatchObject({ status: 'down' })
    expect(server.live).toHaveLength(1)
  })

  test('hears nothing of the connection any more, and changes nothing about it', async () => {
    const { server, transport } = await connected()
    const control = new AbortController()
    const opens: number[] = []
    transport.on('open', ({ generation }) => void opens.push(generation), control)
    const old = await collect(transport, 'a')
    old.hasRoom = false
    server.inject(frameOf('a', 1))
    await until(() => old.events.length === 1, 'it has no room')
    const frames = transport.frames()
    const adopted = adopt(await transport.detach())
    expect(await frames.next()).toEqual({ done: true, value: undefined })
    const next = await collect(adopted, 'a')
    old.feed.ready()
    old.feed.settle(0)
    await old.feed.unsubscribe()
    server.inject(frameOf('a', 2))
    await until(() => next.events.length === 1, 'the new owner has it')
    server.faults.reset()
    await until(() => adopted.stats().reconnects === 1, 'ready again')
    expect(opens).toEqual([])
    expect(old.payloads).toEqual([1])
    await transport.close()
    await adopted.close()
  })

  test('rejects who waited for it to connect or to subscribe', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server)
    const waits = [
      transport.connect({ retry: true }),
      transport.subscribe(['a'], new Collector()).live,
    ]
    const handover = await transport.detach()
    for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'detached' })
    server.faults.clear()
    const next = await collect(adopt(handover), 'a')
    server.inject(frameOf('a', 1))
    await until(() => next.events.length === 1, 'it comes')
  })
})

describe('a hand-over', () => {
  test('is taken once', async () => {
    const { transport } = await connected()
    const handover = await transport.detach()
    adopt(handover)
    expect(() => WebSocketTransport.adopt(handover)).toThrow(
      expect.objectContaining({ code: 'detached' }),
    )
    await handover.close()
  })

  test('that is not adopted can be closed, and then not be adopted', async () => {
    const before = resources()
    const { server, transport } = await connected()
    const handover = await transport.detach()
    await handover.close({ code: 4000, reason: 'nobody' })
    await handover.close()
    await expect(server.connections[0]?.waitForClose()).resolves.toMatchObject({ code: 4000 })
    expect(() => WebSocketTransport.adopt(handover)).toThrow(
      expect.objectContaining({ code: 'closed' }),
    )
    await server.close()
    await leavesNothing(before)
  })

  test('whose connection ended meanwhile says so', async () => {
    const { server, transport } = await connected({ reconnect: false })
    const handover = await transport.detach()
    server.disconnect(1001)
    await until(() => handover.status.state === 'closed', 'it is over')
    expect(() => WebSocketTransport.adopt(handover)).toThrow(
      expect.objectContaining({ code: 'closed', cause: expect.anything() as unknown }),
    )
  })

  test('of a transport that is closed or draining is refused', async () => {
    const { transport } = await connected()
    const drained = transport.drain()
    await expect(transport.detach()).rejects.toMatchObject({ code: 'draining' })
    await drained
    await expect(transport.detach()).rejects.toMatchObject({ code: 'closed' })
  })

  test('cannot be sent to another thread, and a copy is no hand-over', async () => {
    const { transport } = await connected()
    const handover = await transport.detach()
    onTestFinished(() => handover.close())
    expect(() => structuredClone(handover)).toThrow(
      expect.objectContaining({
        code: 'unsupported',
        message: expect.stringContaining('another thread') as string,
      }),
    )
    const channel = new MessageChannel()
    onTestFinished(() => channel.port1.close())
    expect(() => channel.port1.postMessage(handover)).toThrow('another thread')
    for (const other of [{}, undefined, JSON.parse('{"status":1}')]) {
      expect(() => WebSocketTransport.adopt(other as Handover)).toThrow('`handover`')
    }
    expect(() => adopt(handover, { claimWithinMs: -1 })).toThrow('claimWithinMs')
  })

  test('gives up what is not claimed in time: it is reported, and no longer requested', async () => {
    const server = await serveChannels()
    const transport = transportTo(server, { protocol: channelDialect() })
    await Promise.all([collect(transport, 'a'), collect(transport, 'b')])
    const handover = await transport.detach()
    server.emit('a', 1)
    const adopted = adopt(handover, { claimWithinMs: 50 })
    const lost: Undeliverable[] = []
    adopted.on('undeliverable', (notice) => void lost.push(notice))
    const next = await collect(adopted, 'b')
    await until(() => server.log.includes('unsub a'), 'no longer wanted')
    expect(lost).toMatchObject([
      { reason: 'closed', direction: 'inbound', event: { payload: 1 }, error: { code: 'closed' } },
    ])
    server.emit('b', 2)
    await until(() => next.events.length === 1, 'the rest goes on')
  })
})

describe('during traffic', () => {
  test('a hundred hand-overs lose nothing in either direction, and leave no listener', async () => {
    const { server, transport } = await connected()
    const { signal } = new AbortController()
    const opens: number[] = []
    const seen: unknown[] = []
    const sink = { deliver: ({ payload }: { payload: unknown }) => seen.push(payload) > 0 }
    let owner = transport
    await owner.subscribe(['a'], sink).live
    const before = resources()
    const publishes: Promise<unknown>[] = []
    for (const n of numbers(100)) {
      for (const k of numbers(3)) server.inject(frameOf('a', n * 3 + k))
      publishes.push(owner.publish(createEvent('b', n * 2)))
      const handover = await owner.detach()
      owner = WebSocketTransport.adopt(handover)
      owner.on('open', () => void opens.push(n), { signal })
      publishes.push(owner.publish(createEvent('b', n * 2 + 1)))
      await owner.subscribe(['a'], sink).live
    }
    onTestFinished(() => owner.close())
    await Promise.all(publishes)
    await until(() => seen.length === 300 && server.received.length === 200, 'all arrive')
    expect(seen).toEqual(numbers(300))
    const sent = server.received.map(
      ({ data }) => (JSON.parse(String(data)) as { payload: number }).payload,
    )
    expect(sent).toEqual(numbers(200))
    expect(server.connections).toHaveLength(1)
    // Of a hundred owners the last one alone still listens, and holds a subscription.
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    expect(owner.metrics()).toMatchObject({ subscriptions: { count: 1, held: 0 } })
    await owner.reconnect()
    expect(opens).toEqual([99])
    const { Timeout = 0, TCPSocketWrap = 0 } = before
    await leavesNothing({ ...before, Timeout: Timeout + 1, TCPSocketWrap: TCPSocketWrap + 1 })
  })

  test('a hub’s events come once, in order, and what the old owner has is settled by it', async () => {
    const hub = await startHub({ limits: { window: { events: 16 } } })
    const client = (): WebSocketTransport => transportTo(hub, { protocol: busV1() })
    const publisher = client()
    const old = new Collector()
    const tokens: number[] = []
    const transport = client()
    const feed = transport.subscribe(['a'], {
      deliver: (event, token) => {
        tokens.push(token)
        return old.deliver(event)
      },
    })
    await feed.live
    for (const n of numbers(10)) await publisher.publish(createEvent('a', n))
    await until(() => old.events.length === 10, 'the old owner has them')
    const handover = await transport.detach()
    const publishing = Promise.all(
      numbers(200, 10).map((n) => publisher.publish(createEvent('a', n))),
    )
    const adopted = adopt(handover)
    const bus = createBus({ transport: adopted })
    onTestFinished(() => bus.close())
    const seen: unknown[] = []
    await bus.subscribe('a', ({ payload }) => void seen.push(payload))
    // The window is not larger than that: without these the rest would not come.
    for (const token of tokens) feed.settle(token)
    await publishing
    await until(() => seen.length === 200, 'the new owner has the rest')
    expect(old.payloads).toEqual(numbers(10))
    expect(seen).toEqual(numbers(200, 10))
  })
})
