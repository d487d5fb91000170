import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import type { BusOptions } from '../src/bus/bus-options.ts'
import { createBus } from '../src/bus/event-bus.ts'
import { ConfigError } from '../src/contract/errors.ts'
import { createEvent, type Event } from '../src/contract/event.ts'
import { memoryMedium, memoryTransport } from '../src/memory/index.ts'
import { useBuses, deferred, stateOf, until } from '@bus/test-support'

const makeBus = useBuses()

describe('publishing and subscribing', () => {
  test('two buses exchange five events each way, correlation ids kept', async () => {
    const medium = memoryMedium()
    const [left, right] = [makeBus({}, { medium }), makeBus({}, { medium })]
    const seen: string[] = []
    await left.subscribe('to.left', (e) => void seen.push(`left ${e.metadata.correlationId}`))
    await right.subscribe('to.right', (e) => void seen.push(`right ${e.metadata.correlationId}`))
    for (let n = 0; n < 5; n++) {
      await left.publish('to.right', n, { metadata: { correlationId: `l${n}` } })
      await right.publish('to.left', n, { metadata: { correlationId: `r${n}` } })
    }
    await until(() => seen.length === 10)
    expect(seen.filter((s) => s.startsWith('left'))).toEqual(
      [0, 1, 2, 3, 4].map((n) => `left r${n}`),
    )
    expect(seen.filter((s) => s.startsWith('right'))).toEqual(
      [0, 1, 2, 3, 4].map((n) => `right l${n}`),
    )
  })

  test('each subscription gets all of its own and nothing else; no patterns get everything', async () => {
    const bus = makeBus()
    const seen = { a: 0, a2: 0, b: 0, all: 0 }
    await bus.subscribe('a.x', () => void seen.a++)
    await bus.subscribe(['a.x', 'a.*', 'a.>'], () => void seen.a2++)
    await bus.subscribe('b.x', () => void seen.b++)
    await bus.subscribe([], () => void seen.all++)
    for (const type of ['a.x', 'b.x', 'a.x', 'c.x', 'b.x']) await bus.publish(type, 1)
    expect(seen).toEqual({ a: 2, a2: 2, b: 2, all: 5 })
  })

  test('unsubscribe stops delivery; an id that names nothing is an error with that id', async () => {
    const bus = makeBus()
    const handler = vi.fn()
    const subscription = await bus.subscribe('a', handler)
    await bus.publish('a', 1)
    await bus.unsubscribe(subscription.id)
    await bus.publish('a', 1)
    expect(handler).toHaveBeenCalledTimes(1)
    expect(bus.subscriptions).toEqual([])
    await expect(bus.unsubscribe(subscription)).rejects.toMatchObject({
      code: 'unknown-subscription',
      message: expect.stringContaining(subscription.id),
    })
  })

  test('publishes an event as it is', async () => {
    const bus = makeBus({ source: 'ignored' })
    const seen: Event[] = []
    await bus.subscribe('a', (event) => void seen.push(event))
    const event = createEvent('a', { n: 1 }, { id: 'mine', source: 'me', extra: [1] })
    expect(await bus.publish(event)).toEqual({ id: 'mine', status: 'confirmed', attempts: 1 })
    expect(seen).toEqual([event])
  })

  test('source and createId fill in what the caller leaves out', async () => {
    const bus = makeBus({ source: 'shop', createId: () => 'made' })
    const seen: Event[] = []
    await bus.subscribe('a', (event) => void seen.push(event))
    await bus.publish('a', 1)
    await bus.publish('a', 1, { metadata: { id: 'given', source: 'other' } })
    expect(seen.map(({ id, metadata }) => [id, metadata.source])).toEqual([
      ['made', 'shop'],
      ['given', 'other'],
    ])
  })

  test.each([
    ['correlationId', 4711, 'metadata.correlationId'],
    ['source', { name: 'shop' }, 'metadata.source'],
    ['timestamp', 'now', 'metadata.timestamp'],
    ['constructor', 1, 'metadata'],
  ])('publish rejects metadata that no reader could decode: %s', async (name, value, path) => {
    const bus = makeBus()
    const metadata = { [name]: value } as never
    const refused = { code: 'config', path, outcome: 'not-sent' }
    await expect(bus.publish('a', 1, { metadata })).rejects.toMatchObject(refused)
    expect(() => createEvent('a', 1, metadata)).toThrow(ConfigError)
  })

  test.each([
    ['a bad type', 'bad type!', 'type'],
    ['an empty type, also as the first', '', 'type'],
    ['no event', 7, 'event'],
    ['an event without an id', { type: 'a', payload: 1, metadata: { timestamp: 1 } }, 'id'],
    ['an event without metadata', { id: 'x', type: 'a', payload: 1 }, 'metadata'],
  ])('publish rejects %s, naming it, and emit reports it', async (_what, what, path) => {
    const errors: Error[] = []
    const bus = makeBus({ onError: (error) => void errors.push(error) })
    await expect(bus.publish(what as Event)).rejects.toMatchObject({ code: 'config', path })
    expect(() => bus.emit(what as Event)).not.toThrow()
    expect(errors).toMatchObject([{ code: 'config', path }])
  })

  test('a slow handler does not delay publishes, and a stuck publish does not delay handlers', async () => {
    const medium = memoryMedium()
    const [slow, fast] = [makeBus({}, { medium }), makeBus({}, { medium })]
    const gate = deferred()
    await slow.subscribe('slow', () => gate.promise, { queue: { capacity: 1 } })
    const seen = vi.fn()
    await slow.subscribe('quick', seen)
    for (let n = 0; n < 2; n++) await slow.publish('slow', n)
    const stuck = slow.publish('slow', 2)
    await fast.publish('quick', 1)
    expect(seen).toHaveBeenCalledTimes(1)
    expect(await stateOf(stuck)).toBe('pending')
    gate.resolve()
    await stuck
  })

  test('a publish inside a handler reaches other subscriptions', async () => {
    const bus = makeBus()
    const seen = vi.fn()
    await bus.subscribe('b', seen)
    await bus.subscribe('a', async () => void (await bus.publish('b', 1)))
    await bus.publish('a', 1)
    await until(() => seen.mock.calls.length === 1)
  })

  test('a handler cannot change what the next one gets [F110]', async () => {
    const bus = makeBus()
    const seen: unknown[] = []
    for (let n = 0; n < 2; n++) {
      await bus.subscribe('a', ({ payload }) => void seen.push((payload as { n: number }).n++))
    }
    await bus.publish('a', { n: 1 })
    expect(seen).toEqual([1, 1])
  })

  test('subscribing with an aborted signal rejects and leaves nothing behind', async () => {
    const bus = makeBus()
    const reason = new Error('why')
    const signal = AbortSignal.abort(reason)
    await expect(bus.subscribe('a', () => {}, { signal })).rejects.toMatchObject({
      code: 'aborted',
      cause: reason,
    })
    expect(bus.subscriptions).toEqual([])
  })

  test('a signal ends its subscriptions, however many, with one listener while they live [F108]', async () => {
    const bus = makeBus()
    const control = new AbortController()
    const { signal } = control
    for (let n = 0; n < 20; n++) await bus.subscribe('a', () => {}, { signal })
    await (await bus.subscribe('a', () => {}, { signal })).unsubscribe()
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    control.abort()
    expect(bus.subscriptions).toEqual([])
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('aborting a subscribe that waits to be live rejects it', async () => {
    const transport = memoryTransport()
    vi.spyOn(transport, 'connect').mockReturnValue(new Promise(() => {}))
    const bus = makeBus({ transport })
    const control = new AbortController()
    const subscribing = bus.subscribe('a', () => {}, { signal: control.signal })
    control.abort(new Error('why'))
    await expect(subscribing).rejects.toMatchObject({ code: 'aborted', cause: { message: 'why' } })
    expect(bus.subscriptions).toEqual([])
  })

  test('a signal used for a thousand publishes keeps no listener [F108]', async () => {
    const bus = makeBus()
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => bus.publish('a', n, { signal })))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test.each([
    [{ concurrency: 0 }, 'concurrency'],
    [{ zombieLimit: -1 }, 'zombieLimit'],
    [{ handlerTimeoutMs: 0 }, 'handlerTimeoutMs'],
    [{ orderBy: 'id' }, 'orderBy'],
    [{ queue: { capacity: 0 } }, 'queue.capacity'],
    [{ errorPolicy: { strategy: 'pray' } }, 'errorPolicy.strategy'],
    [{ concurency: 2 }, 'concurency'],
  ])('subscribe refuses %j', async (options, path) => {
    const bus = makeBus()
    await expect(bus.subscribe('a', () => {}, options as object)).rejects.toMatchObject({ path })
  })

  test.each([
    [{ transport: {} }, 'transport'],
    [{ validate: 'sometimes' }, 'validate'],
    [{ middleware: [7] }, 'middleware[0]'],
    [{ deadLetters: true }, 'deadLetters'],
    [{ deadLetter: false }, 'deadLetter'],
    [{ blockedHandlerMs: 0 }, 'blockedHandlerMs'],
    [{ events: { a: {} } }, 'events.a'],
  ])('createBus refuses %j', (options, path) => {
    const all: object = { transport: memoryTransport(), ...options }
    expect(() => createBus(all as BusOptions & { events?: undefined })).toThrow(
      expect.objectContaining({ code: 'config', path }),
    )
  })
})
