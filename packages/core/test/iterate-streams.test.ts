import { getEventListeners } from 'node:events'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { createEvent, type Event } from '../src/contract/event.ts'
import { memoryMedium } from '../src/memory/index.ts'
import { useBuses, stateOf, until } from '@bus/test-support'

const makeBus = useBuses()

describe('events', () => {
  test('gives the matching events in order, and a break unsubscribes', async () => {
    const bus = makeBus()
    const events = bus.events('a.*')
    const seen: unknown[] = []
    const publishing = (async () => {
      await until(() => bus.subscriptions.length === 1)
      for (let n = 0; n < 100; n++) await bus.publish(n % 2 === 0 ? 'a.x' : 'b.x', n)
    })()
    for await (const event of events) if (seen.push(event.payload) === 50) break
    await publishing
    expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => n * 2))
    expect(bus.subscriptions).toEqual([])
  })

  test.each([1, 5])(
    'lets the publisher wait at %i events that were not requested',
    async (highWaterMark) => {
      const bus = makeBus()
      const events = bus.events('a', { highWaterMark })
      await until(() => bus.subscriptions.length === 1)
      // One more is in hand, behind the queue.
      for (let n = 0; n <= highWaterMark; n++) await bus.publish('a', n)
      const held = bus.publish('a', 'held')
      expect(await stateOf(held)).toBe('pending')
      for (let n = 0; n <= highWaterMark; n++) await events.next()
      await held
      expect((await events.next()).value?.payload).toBe('held')
      await events.return?.()
    },
  )

  test('settles an event when the next one is requested', async () => {
    const bus = makeBus()
    const events = bus.events('a')
    const first = events.next()
    await until(() => bus.subscriptions.length === 1)
    await bus.publish('a', 1)
    await first
    const [subscription] = bus.subscriptions
    expect(await stateOf(first)).toBe('done')
    expect(subscription?.stats().handled).toBe(0)
    const second = events.next()
    await until(() => subscription?.stats().handled === 1)
    await events.return?.()
    expect(await second).toEqual({ done: true, value: undefined })
  })

  test.each([
    ['throws', new Error('the work failed')],
    ['breaks', undefined],
  ])('an event whose loop body %s is not settled, and becomes a dead letter', async (_, error) => {
    const bus = makeBus()
    const events = bus.events('a')
    const loop = (async () => {
      for await (const event of events) {
        expect(event.payload).toBe(1)
        if (error === undefined) break
        throw error
      }
    })()
    await until(() => bus.subscriptions.length === 1)
    const [subscription] = bus.subscriptions
    await bus.publish('a', 1)
    expect(
      await loop.then(
        () => undefined,
        (thrown: unknown) => thrown,
      ),
    ).toBe(error)
    await until(() => bus.subscriptions.length === 0)
    expect(subscription?.stats()).toMatchObject({ handled: 0, failed: 0, deadLettered: 1 })
    expect(bus.deadLetters?.list()).toMatchObject([
      { reason: 'closed', attempts: 1, event: { payload: 1 } },
    ])
  })

  test('without dead letters an event whose loop was left is reported', async () => {
    const errors: unknown[] = []
    const bus = makeBus({ deadLetters: false, onError: (error) => void errors.push(error) })
    const events = bus.events('a')
    const first = events.next()
    await until(() => bus.subscriptions.length === 1)
    await bus.publish('a', 1)
    await first
    await events.return?.()
    await until(() => errors.length === 1)
    expect(errors).toMatchObject([{ code: 'closed', message: /not settled/ }])
  })

  test('answers several pulls at once in order', async () => {
    const bus = makeBus()
    const events = bus.events('a')
    const pulls = [events.next(), events.next(), events.next()]
    await until(() => bus.subscriptions.length === 1)
    for (let n = 0; n < 3; n++) await bus.publish('a', n)
    const results = await Promise.all(pulls)
    expect(results.map((result) => result.value?.payload)).toEqual([0, 1, 2])
    await events.return?.()
  })

  test('ends when the bus closes, also in the middle of an event', async () => {
    const bus = makeBus()
    const events = bus.events('a')
    const first = events.next()
    await until(() => bus.subscriptions.length === 1)
    await bus.publish('a', 1)
    await bus.publish('a', 2)
    await first
    await bus.close()
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect(bus.deadLetters?.list()).toMatchObject([{ reason: 'closed', event: { payload: 2 } }])
  })

  test('a drain lets the loop finish what it has', async () => {
    const bus = makeBus()
    const events = bus.events('a')
    await until(() => bus.subscriptions.length === 1)
    for (let n = 0; n < 5; n++) await bus.publish('a', n)
    const drained = bus.drain()
    const seen: unknown[] = []
    for await (const event of events) seen.push(event.payload)
    expect(seen).toEqual([0, 1, 2, 3, 4])
    expect(await drained).toEqual({ unsent: [], unhandled: 0 })
  })

  test('an aborted signal rejects the pull that waits, ends the loop and leaves no listener', async () => {
    const bus = makeBus()
    const control = new AbortController()
    const events = bus.events('a', { signal: control.signal })
    const pull = events.next()
    await until(() => bus.subscriptions.length === 1)
    control.abort(new Error('why'))
    await expect(pull).rejects.toMatchObject({ code: 'aborted', cause: { message: 'why' } })
    expect((await events.next()).done).toBe(true)
    expect(bus.subscriptions).toEqual([])
    expect(getEventListeners(control.signal, 'abort')).toHaveLength(0)
  })

  test('the first pull throws what cannot be subscribed', async () => {
    const bus = makeBus()
    const events = bus.events('not a pattern')
    await expect(events.next()).rejects.toMatchObject({ code: 'config' })
    expect((await events.next()).done).toBe(true)
  })
})

describe('streams', () => {
  test('a pipeline carries events from one bus to another', async () => {
    const medium = memoryMedium()
    const [from, to] = [makeBus(), makeBus({}, { medium })]
    const target = makeBus({}, { medium })
    const seen: unknown[] = []
    await target.subscribe('a', (event) => void seen.push(event.payload))
    const readable = from.toReadable('a')
    const piping = pipeline(readable, to.toWritable())
    await until(() => from.subscriptions.length === 1)
    for (let n = 0; n < 100; n++) await from.publish('a', n)
    await from.drain()
    await piping
    await until(() => seen.length === 100)
    expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n))
  })

  test('a reader that does not read lets the publisher wait', async () => {
    const bus = makeBus()
    const readable = bus.toReadable('a', { highWaterMark: 2 })
    await until(() => bus.subscriptions.length === 1)
    let published = 0
    const publishing = (async () => {
      for (let n = 0; n < 20; n++) {
        await bus.publish('a', n)
        published++
      }
    })()
    expect(await stateOf(publishing)).toBe('pending')
    expect(published).toBeLessThan(8)
    const seen: unknown[] = []
    for await (const event of readable) {
      if (seen.push((event as Event).payload) === 20) break
    }
    await publishing
    expect(bus.subscriptions).toEqual([])
  })

  test('a readable settles an event when its consumer asks for the next, and in order', async () => {
    const bus = makeBus()
    const readable = bus.toReadable('a')
    await until(() => bus.subscriptions.length === 1)
    const [subscription] = bus.subscriptions
    for (let n = 0; n < 40; n++) void bus.publish('a', n)
    const seen: unknown[] = []
    for await (const event of readable) {
      expect(subscription?.stats().handled).toBe(seen.length)
      if (seen.push((event as Event).payload) === 40) break
    }
    expect(seen).toEqual(Array.from({ length: 40 }, (_, n) => n))
    await until(() => subscription?.stats().deadLettered === 1)
    expect(bus.deadLetters?.list()).toMatchObject([{ reason: 'closed', event: { payload: 39 } }])
  })

  test('the last event of a readable is settled when its consumer waits for more', async () => {
    const bus = makeBus()
    const seen: unknown[] = []
    bus.toReadable('a').on('data', ({ payload }: Event) => void seen.push(payload))
    await until(() => bus.subscriptions.length === 1)
    const [subscription] = bus.subscriptions
    await bus.publish('a', 1)
    await until(() => subscription?.stats().handled === 1)
    expect(seen).toEqual([1])
    await bus.drain()
  })

  test('what is piped is settled when the stream behind has processed it, not when that has taken it', async () => {
    const bus = makeBus()
    const inWork: { payload: unknown; done(): void }[] = []
    const slow = new Writable({
      objectMode: true,
      write: ({ payload }: Event, _encoding, done) => void inWork.push({ payload, done }),
    })
    const piping = pipeline(bus.toReadable('a'), slow)
    await until(() => bus.subscriptions.length === 1)
    const [subscription] = bus.subscriptions
    for (let n = 0; n < 50; n++) void bus.publish('a', n)
    // It reads ahead as far as the stream behind takes it.
    await until(() => slow.writableLength === slow.writableHighWaterMark)
    for (let n = 0; n < 50; n++) {
      await until(() => inWork.length === n + 1)
      expect(subscription?.stats().handled).toBe(n)
      inWork[n]?.done()
      await until(() => subscription?.stats().handled === n + 1)
    }
    expect(inWork.map(({ payload }) => payload)).toEqual(Array.from({ length: 50 }, (_, n) => n))
    await bus.drain()
    await piping
  })

  test('a pipe whose stream fails leaves what that had not processed to the dead letters', async () => {
    const bus = makeBus()
    const failing = new Writable({
      objectMode: true,
      write: ({ payload }: Event, _encoding, done) =>
        payload === 1 ? done(new Error('disk full')) : done(),
    })
    const piping = pipeline(bus.toReadable('a'), failing)
    await until(() => bus.subscriptions.length === 1)
    await bus.publish('a', 0)
    await bus.publish('a', 1)
    await expect(piping).rejects.toThrow('disk full')
    await until(() => bus.subscriptions.length === 0)
    expect(bus.deadLetters?.list()).toMatchObject([{ reason: 'closed', event: { payload: 1 } }])
  })

  test('two pipes of one readable both get every event, at the pace of the slower', async () => {
    const bus = makeBus()
    const seen: [unknown[], unknown[]] = [[], []]
    const readable = bus.toReadable('a')
    for (const list of seen) {
      readable.pipe(
        new Writable({
          objectMode: true,
          highWaterMark: 1,
          write: ({ payload }: Event, _encoding, done) => {
            list.push(payload)
            setImmediate(done)
          },
        }),
      )
    }
    await until(() => bus.subscriptions.length === 1)
    for (let n = 0; n < 20; n++) void bus.publish('a', n)
    await until(() => seen.every((list) => list.length === 20))
    expect(seen[0]).toEqual(seen[1])
    readable.unpipe()
    expect(readable.isPaused()).toBe(true)
    await bus.drain()
  })

  test('destroying the readable unsubscribes', async () => {
    const bus = makeBus()
    const readable = bus.toReadable('a')
    await until(() => bus.subscriptions.length === 1)
    readable.read()
    readable.destroy()
    await until(() => bus.subscriptions.length === 0)
  })

  test('writes events and type-payload pairs', async () => {
    const bus = makeBus()
    const seen: unknown[] = []
    await bus.subscribe('a', ({ id, payload }) => void seen.push([id, payload]))
    const writable = bus.toWritable()
    writable.write(createEvent('a', 1, { id: 'x' }))
    writable.end({ type: 'a', payload: 2, metadata: { id: 'y' } })
    await until(() => writable.writableFinished)
    expect(seen).toEqual([
      ['x', 1],
      ['y', 2],
    ])
  })

  test('a publish that fails ends the stream with its error', async () => {
    const bus = makeBus()
    const failing = pipeline([{ type: 'a', payload: 1n }], bus.toWritable())
    await expect(failing).rejects.toMatchObject({ code: 'serialization' })
  })

  test('a slow subscription is back pressure for the writer, and timeoutMs ends the wait', async () => {
    const bus = makeBus()
    await bus.subscribe('a', () => new Promise(() => {}), { queue: { capacity: 1 } })
    const writable: Writable = bus.toWritable({ highWaterMark: 2, timeoutMs: 20 })
    const failed = new Promise((resolve) => writable.once('error', resolve))
    const answers = [1, 2, 3, 4, 5].map((n) => writable.write({ type: 'a', payload: n }))
    expect(answers).toContain(false)
    expect(await failed).toMatchObject({ code: 'timeout' })
  })

  test('destroying the writable withdraws what waits', async () => {
    const bus = makeBus()
    await bus.subscribe('a', () => new Promise(() => {}), { queue: { capacity: 1 } })
    for (let n = 0; n < 2; n++) await bus.publish('a', n)
    const control = new AbortController()
    const writable = bus.toWritable({ signal: control.signal })
    const failed = new Promise((resolve) => writable.once('error', resolve))
    writable.write({ type: 'a', payload: 2 })
    writable.write({ type: 'a', payload: 3 })
    await stateOf(Promise.resolve())
    control.abort()
    expect(await failed).toMatchObject({ name: 'AbortError' })
    await until(() => bus.backpressureStats().size <= 1)
  })
})
