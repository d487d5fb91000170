import { createBus, createEvent, type Bus, type EventMap } from '@bus/core'
import { expect, expectTypeOf, onTestFinished, test } from 'vitest'
import type { WebSocketTransportOptions } from '../src/index.ts'
import { plainJson } from '../src/protocol/index.ts'
import { frameOf, leavesNothing, resources, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

type Orders = {
  'order.created': { readonly total: number }
  'order.cancelled': { readonly why: string }
}

function busTo<M extends EventMap = EventMap>(
  target: { readonly url: string },
  options: Omit<WebSocketTransportOptions, 'url'> = {},
): Bus<M> {
  const bus = createBus<M>({ transport: transportTo(target, options) })
  onTestFinished(() => bus.close())
  return bus
}

test('carries typed events from one bus to another through the hub, both ways', async () => {
  const hub = await startHub()
  const [shop, office] = [busTo<Orders>(hub), busTo<Orders>(hub)]
  const totals: number[] = []
  const all: string[] = []
  await office.subscribe('order.created', async (event) => {
    expectTypeOf(event.payload).toEqualTypeOf<{ readonly total: number }>()
    totals.push(event.payload.total)
    await office.publish('order.cancelled', { why: `too much: ${event.payload.total}` })
  })
  await shop.subscribe('order.*', (event) => {
    expectTypeOf(event.type).toEqualTypeOf<'order.created' | 'order.cancelled'>()
    all.push(event.type)
  })
  for (let total = 0; total < 10; total++) await shop.publish('order.created', { total })
  await until(() => all.length === 10, 'the answers arrive')
  expect(totals).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  // Nobody hears what it published itself.
  expect(new Set(all)).toEqual(new Set(['order.cancelled']))
})

test('drains without losing any of 2,000 events that were just accepted', async () => {
  const hub = await startHub()
  const [sender, receiver] = [busTo(hub), busTo(hub)]
  const numbers: unknown[] = []
  await receiver.subscribe('a', ({ payload }) => void numbers.push(payload))
  await sender.connect()
  const all = Array.from({ length: 2_000 }, (_, n) => sender.publish('a', n))
  await expect(sender.drain()).resolves.toEqual({ unsent: [], unhandled: 0 })
  expect(sender.status.state).toBe('closed')
  const receipts = await Promise.all(all)
  expect(receipts).toHaveLength(2_000)
  await until(() => numbers.length === 2_000, 'all arrive')
  expect(numbers).toEqual(Array.from({ length: 2_000 }, (_, n) => n))
})

test('drains what was accepted before there was a link', async () => {
  const hub = await startHub()
  const receiver = busTo(hub)
  const got: unknown[] = []
  await receiver.subscribe('a', ({ payload }) => void got.push(payload))
  const sender = busTo(hub)
  const sent = sender.publish('a', 1)
  await sender.drain()
  await expect(sent).resolves.toMatchObject({ status: 'sent' })
  await until(() => got.length === 1, 'it arrives')
})

test('draining with the link down reports what was left, and rejects it as not sent', async () => {
  const server = await serve()
  const bus = busTo(server)
  await bus.connect()
  server.faults.hangUpgrade()
  server.faults.reset()
  await until(() => bus.status.state !== 'ready', 'the loss is seen')
  const events = [createEvent('a', 1), createEvent('a', 2)]
  const outcomes = Promise.allSettled(events.map((event) => bus.publish(event)))
  const report = await bus.drain({ timeoutMs: 50 })
  expect(report).toEqual({ unsent: events.map(({ id }) => id), unhandled: 0, deadLetters: 2 })
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ reason: { code: 'closed', outcome: 'not-sent' } })
  }
  expect(bus.deadLetters?.list()).toMatchObject([
    { reason: 'closed', event: { payload: 1 } },
    { reason: 'closed', event: { payload: 2 } },
  ])
})

test('draining lets handlers finish, and what they publish is sent', async () => {
  const hub = await startHub()
  const [sender, worker, listener] = [busTo(hub), busTo(hub), busTo(hub)]
  const done: unknown[] = []
  await listener.subscribe('done', ({ payload }) => void done.push(payload))
  const waiting: (() => void)[] = []
  const subscription = await worker.subscribe(
    'job',
    async ({ payload }) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      await worker.publish('done', payload)
    },
    { concurrency: 3 },
  )
  for (let n = 0; n < 3; n++) await sender.publish('job', n)
  await until(() => waiting.length === 3, 'the handlers run')
  const draining = worker.drain()
  await expect(worker.publish('x', 1)).rejects.toMatchObject({ code: 'draining' })
  for (const go of waiting) go()
  await expect(draining).resolves.toEqual({ unsent: [], unhandled: 0 })
  await until(() => done.length === 3, 'the results arrive')
  expect(subscription.stats().handled).toBe(3)
})

test('works with await using: what was accepted is sent, and nothing is left behind', async () => {
  const server = await serve()
  const before = resources()
  {
    await using bus = createBus({ transport: transportTo(server) })
    for (let n = 0; n < 100; n++) bus.emit('a', n)
  }
  await until(() => server.received.length === 100, 'all arrive')
  await leavesNothing(before)
})

test('keeps the order of each key while handlers run at once, in any time [F93]', async () => {
  const server = await serve()
  const bus = busTo(server)
  const seen = new Map<string, number[]>()
  let running = 0
  let most = 0
  await bus.subscribe(
    'a',
    async ({ payload }) => {
      const { key, n } = payload as { key: string; n: number }
      most = Math.max(most, ++running)
      // As many turns as the event says, so that handlers overtake each other.
      for (let turn = (n * 7) % 5; turn > 0; turn--) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      seen.set(key, [...(seen.get(key) ?? []), n])
      running--
    },
    { concurrency: 8, orderBy: ({ payload }) => (payload as { key: string }).key },
  )
  for (let n = 0; n < 400; n++) {
    server.inject({ id: `${n}`, event_type: 'a', payload: { key: `k${n % 16}`, n } })
  }
  await until(() => [...seen.values()].flat().length === 400, 'all are handled')
  expect(most).toBe(8)
  for (const numbers of seen.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
})

test('unsubscribing lets the handler in flight finish, and refuses an id that it does not know [F91]', async () => {
  const server = await serve()
  const bus = busTo(server)
  const handled: unknown[] = []
  let go: () => void = () => {}
  const subscription = await bus.subscribe('a', async ({ payload }) => {
    await new Promise<void>((resolve) => (go = resolve))
    handled.push(payload)
  })
  const other: unknown[] = []
  await bus.subscribe('a', ({ payload }) => void other.push(payload))
  server.inject({ id: '1', event_type: 'a', payload: 1 })
  server.inject({ id: '2', event_type: 'a', payload: 2 })
  await until(() => other.length === 2, 'both arrive')
  let isEnded = false
  const ended = bus.unsubscribe(subscription.id).then(() => (isEnded = true))
  await bus.publish('b', 'a round trip later')
  expect(isEnded).toBe(false)
  go()
  await ended
  expect(handled).toEqual([1])
  await expect(bus.unsubscribe(subscription.id)).rejects.toMatchObject({
    code: 'unknown-subscription',
    message: expect.stringContaining(subscription.id) as string,
  })
})

test('a handler may end its own subscription, and waits for nothing then [F91]', async () => {
  const server = await serve()
  const bus = busTo(server)
  const handled: unknown[] = []
  const subscription = await bus.subscribe('a', async ({ payload }, context) => {
    handled.push(payload)
    await context.subscription.unsubscribe()
  })
  const others: unknown[] = []
  await bus.subscribe('a', ({ payload }) => void others.push(payload))
  for (let n = 0; n < 3; n++) server.inject({ id: `${n}`, event_type: 'a', payload: n })
  await subscription.closed
  await until(() => others.length === 3, 'all arrive')
  expect(handled).toEqual([0])
})

test('refuses what its protocol does not promise, by the name of the promise, and asks the server for nothing [F166]', async () => {
  const plain = plainJson()
  const asked: string[] = []
  const protocol = {
    ...plain,
    capabilities: { ...plain.capabilities, wildcards: false },
    subscribe: async (patterns: readonly string[]) => void asked.push(...patterns),
  }
  const server = await serve()
  const bus = busTo(server, { protocol })
  expect(bus.capabilities.wildcards).toBe(false)
  await bus.connect()
  for (const patterns of ['order.*', 'order.>', ['order.created', '*']]) {
    await expect(bus.subscribe(patterns, () => {})).rejects.toMatchObject({
      code: 'unsupported',
      capability: 'wildcards',
      retryable: false,
    })
  }
  const types: string[] = []
  await bus.subscribe('order.created', (event) => void types.push(event.type))
  expect(asked).toEqual(['order.created'])
  server.inject(frameOf('order.created', 1))
  await until(() => types.length === 1, 'plain types are served')
})
