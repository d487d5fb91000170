import { InMemoryDeadLetterQueue, createBus, type Bus, type BusOptions } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { WebSocketTransportOptions } from '../src/index.ts'
import { frameOf, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

function busTo(
  target: { readonly url: string },
  options: Omit<WebSocketTransportOptions, 'url'> = {},
  busOptions: Omit<BusOptions, 'transport' | 'events'> = {},
): Bus {
  const bus = createBus({ ...busOptions, transport: transportTo(target, options) })
  onTestFinished(() => bus.close())
  return bus
}

test('an evicted event, one whose attempts are spent, a failing handler and a frame that means nothing each arrive with a reason that distinguishes them', async () => {
  const server = await serve()
  const deadLetters = new InMemoryDeadLetterQueue()
  const bus = busTo(
    server,
    { maxAttempts: 1, maxMessageBytes: 64_000_000, queue: { maxBytes: 64_000_000 } },
    { deadLetters },
  )
  await bus.subscribe('fails', () => {
    throw new TypeError('no')
  })
  server.inject(frameOf('fails', { n: 1 }, 'evt-1'))
  server.inject('{"nonsense":true}')
  await until(() => deadLetters.size === 2, 'both are reported')
  server.faults.stall()
  // More than the kernel takes, so that the frame is still ours when the link breaks.
  const spent = bus.publish('bulk', 'x'.repeat(30_000_000))
  spent.catch(() => {})
  await until(() => bus.backpressureStats().size === 1, 'it is under way')
  await new Promise((resolve) => setImmediate(resolve))
  server.faults.reset()
  await expect(spent).rejects.toMatchObject({ code: 'attempts-exhausted' })
  server.faults.clear()

  const evicting = busTo(
    server,
    { queue: { capacity: 1, strategy: 'drop-oldest' } },
    { deadLetters },
  )
  const first = evicting.publish('a', 1)
  const second = evicting.publish('a', 2)
  await expect(first).rejects.toMatchObject({ code: 'dropped' })
  await second

  expect(deadLetters.list()).toMatchObject([
    {
      reason: 'handler',
      direction: 'inbound',
      event: { id: 'evt-1', type: 'fails', payload: { n: 1 } },
      attempts: 1,
      error: { name: 'TypeError', message: 'no' },
      source: 'websocket',
    },
    {
      reason: 'undecodable',
      direction: 'inbound',
      raw: '{"nonsense":true}',
      attempts: 0,
      error: { code: 'decode' },
    },
    {
      reason: 'attempts-exhausted',
      direction: 'outbound',
      event: { type: 'bulk' },
      attempts: 1,
      error: { code: 'attempts-exhausted' },
    },
    {
      reason: 'dropped',
      direction: 'outbound',
      event: { type: 'a', payload: 1 },
      attempts: 0,
      error: { code: 'dropped' },
    },
  ])
  for (const { failedAt } of deadLetters)
    expect(Math.abs(Date.now() - failedAt)).toBeLessThan(60_000)
})

describe('a handler that', () => {
  const rejected = { then: (_: unknown, reject: (error: Error) => void) => reject(new Error('no')) }
  test.each<[what: string, fail: () => void | Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws undefined',
      () => {
        throw undefined
      },
    ],
    ['returns a thenable that rejects', () => rejected as unknown as Promise<void>],
  ])(
    '%s is reported with the event, and neither the publisher nor the others notice [F100]',
    async (_what, fail) => {
      const hub = await startHub()
      const [sender, receiver] = [busTo(hub), busTo(hub)]
      const fine: unknown[] = []
      await receiver.subscribe('a', fail)
      await receiver.subscribe('a', ({ payload }) => void fine.push(payload))
      for (let n = 0; n < 3; n++) {
        await expect(sender.publish('a', n)).resolves.toMatchObject({ status: 'sent' })
      }
      await until(() => fine.length === 3, 'the other gets everything')
      await until(() => receiver.deadLetters?.size === 3, 'all are reported')
      expect(
        receiver.deadLetters?.list().map(({ reason, event }) => [reason, event?.payload]),
      ).toEqual([0, 1, 2].map((n) => ['handler', n]))
      expect(sender.deadLetters?.size).toBe(0)
    },
  )

  test('never ends loses its turn when its time is up, and the next event is handled [F101]', async () => {
    const server = await serve()
    const bus = busTo(server)
    const handled: unknown[] = []
    let aborted = 0
    await bus.subscribe(
      'a',
      async ({ payload }, { signal }) => {
        signal.addEventListener('abort', () => aborted++)
        if (payload === 0) await new Promise(() => {})
        handled.push(payload)
      },
      { handlerTimeoutMs: 30 },
    )
    for (let n = 0; n < 3; n++) server.inject(frameOf('a', n))
    await until(() => handled.length === 2, 'the next are handled')
    expect(handled).toEqual([1, 2])
    expect(aborted).toBe(1)
    expect(bus.deadLetters?.list()).toMatchObject([
      { reason: 'handler', error: { code: 'timeout' }, event: { payload: 0 } },
    ])
  })
})

describe('an error policy', () => {
  test.each([
    ['drop', { strategy: 'drop' }, 1, 0],
    ['dlq', { strategy: 'dlq' }, 1, 1],
    ['retry', { strategy: 'retry', retry: { attempts: 3, backoff: () => 1 } }, 3, 1],
  ] as const)(
    'of %s goes on after the failure as it says',
    async (_name, errorPolicy, calls, letters) => {
      const server = await serve()
      const bus = busTo(server)
      const attempts: number[] = []
      const handled: unknown[] = []
      const subscription = await bus.subscribe(
        'a',
        ({ payload }, { attempt }) => {
          if (payload !== 'bad') return void handled.push(payload)
          attempts.push(attempt)
          throw new Error('no')
        },
        { errorPolicy },
      )
      server.inject(frameOf('a', 'bad'))
      server.inject(frameOf('a', 'good'))
      await until(() => handled.length === 1, 'it goes on')
      expect(attempts).toEqual(Array.from({ length: calls }, (_, n) => n + 1))
      expect(bus.deadLetters?.list()).toMatchObject(
        Array.from({ length: letters }, () => ({ reason: 'handler', attempts: calls })),
      )
      expect(bus.deadLetters?.size).toBe(letters)
      // A success ends the row of failures.
      expect(subscription.stats()).toMatchObject({ consecutiveErrors: 0, retried: calls - 1 })
    },
  )

  test('of fail ends the subscription with the error, and only that one', async () => {
    const server = await serve()
    const bus = busTo(server)
    const others: unknown[] = []
    const subscription = await bus.subscribe(
      'a',
      () => {
        throw new Error('no')
      },
      { errorPolicy: { strategy: 'fail' } },
    )
    await bus.subscribe('a', ({ payload }) => void others.push(payload))
    server.inject(frameOf('a', 1))
    server.inject(frameOf('a', 2))
    await expect(subscription.closed).rejects.toMatchObject({ code: 'handler' })
    await until(() => others.length === 2, 'the other goes on')
    expect(bus.subscriptions).toHaveLength(1)
  })
})

describe('the dead letters of a bus', () => {
  test('hold as many as they may, and the oldest goes first', async () => {
    const server = await serve()
    const deadLetters = new InMemoryDeadLetterQueue({ capacity: 3 })
    const bus = busTo(server, {}, { deadLetters })
    await bus.connect()
    for (let n = 0; n < 5; n++) server.inject(`bad ${n}`)
    await until(() => deadLetters.stats().evicted === 2, 'two are evicted')
    expect(deadLetters.list().map(({ raw }) => raw)).toEqual(['bad 2', 'bad 3', 'bad 4'])
  })

  test('are reported, one event each, and not kept when switched off', async () => {
    const server = await serve()
    const bus = busTo(server)
    const silent = busTo(server, {}, { deadLetters: false })
    const told: string[] = []
    let given = 0
    bus.on('dead-letter', ({ reason }) => told.push(reason))
    silent.on('undeliverable', () => given++)
    await Promise.all([bus.connect(), silent.connect()])
    server.inject('nonsense')
    await until(() => told.length === 1 && given === 1, 'both are told')
    expect(told).toEqual(['undecodable'])
    expect(silent.deadLetters).toBeUndefined()
  })

  test('can be sent again over the link, in order, and leave when they are', async () => {
    const hub = await startHub()
    const [sender, receiver] = [busTo(hub), busTo(hub)]
    let isBroken = true
    const handled: unknown[] = []
    await receiver.subscribe('job', ({ payload }) => {
      if (isBroken) throw new Error('the database is down')
      handled.push(payload)
    })
    for (let n = 0; n < 3; n++) await sender.publish('job', n)
    await until(() => receiver.deadLetters?.size === 3, 'all fail')
    isBroken = false
    // What one receiver could not handle another sends again: nobody hears what it published itself.
    await expect(receiver.deadLetters?.redrive(sender)).resolves.toEqual({
      redriven: 3,
      failed: 0,
      skipped: 0,
    })
    await until(() => handled.length === 3, 'all are handled')
    expect(handled).toEqual([0, 1, 2])
    expect(receiver.deadLetters?.size).toBe(0)
  })

  test('are consumed each by one of two consumers, and kept where that fails too often', async () => {
    const server = await serve()
    const bus = busTo(server)
    const letters = bus.deadLetters
    if (letters === undefined) throw new Error('there are dead letters')
    await bus.connect()
    for (let n = 0; n < 20; n++) server.inject(`bad ${n}`)
    await until(() => letters.size === 20, 'all are kept')
    const seen: string[] = []
    let failures = 0
    const consume = () =>
      letters.consume(
        ({ raw }) => {
          if (raw === 'bad 7') {
            failures++
            throw new Error('still bad')
          }
          seen.push(String(raw))
        },
        { maxAttempts: 2, backoff: () => 1 },
      )
    const consumers = [consume(), consume()]
    await until(() => letters.list().every(({ parked }) => parked), 'what is left is parked')
    await Promise.all(consumers.map((consumer) => consumer.stop()))
    expect(new Set(seen).size).toBe(19)
    expect(seen).toHaveLength(19)
    expect(failures).toBe(2)
    expect(letters.list()).toMatchObject([{ raw: 'bad 7', parked: true }])
  })
})
