import { transportPool } from '@bus/compose'
import { createBus, type Bus, type Transport } from '@bus/core'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

/** How each makes transports that hear each other. The rest of this file is the same for all. */
const WORLDS: readonly [name: string, make: () => Promise<() => Transport>][] = [
  [
    'memory',
    async () => {
      const medium = memoryMedium()
      return () => memoryTransport({ medium })
    },
  ],
  [
    'websocket, plain JSON',
    async () => {
      const hub = await startHub()
      return () => transportTo(hub)
    },
  ],
  [
    'websocket, bus.v1',
    async () => {
      const hub = await startHub()
      return () => transportTo(hub, { protocol: busV1() })
    },
  ],
  [
    'a pool of websockets',
    async () => {
      const hub = await startHub()
      const member = (): Transport => transportTo(hub, { protocol: busV1() })
      return () => transportPool({ transports: [member(), member()] })
    },
  ],
]

describe.each(WORLDS)('two buses over %s', (_name, make) => {
  async function pair(): Promise<[sender: Bus, receiver: Bus]> {
    const transport = await make()
    const bus = (): Bus => {
      const made = createBus({ transport: transport() })
      onTestFinished(() => made.close())
      return made
    }
    return [bus(), bus()]
  }

  test('deliver every event once, in the order published', async () => {
    const [sender, receiver] = await pair()
    const numbers: unknown[] = []
    await receiver.subscribe('a', ({ payload }) => void numbers.push(payload))
    await Promise.all(Array.from({ length: 500 }, (_, n) => sender.publish('a', n)))
    await until(() => numbers.length >= 500, 'all arrive')
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, n) => n))
  })

  test('keep id, type, payload, timestamp, source and attributes', async () => {
    const [sender, receiver] = await pair()
    const events: unknown[] = []
    await receiver.subscribe([], (event) => void events.push(event))
    const metadata = { id: 'x', timestamp: 5, source: 's', correlationId: 'c', traceparent: '00-1' }
    await sender.publish('a.b', { deep: [1, { x: null }] }, { metadata })
    await until(() => events.length === 1, 'it arrives')
    const { id, ...rest } = metadata
    expect(events).toEqual([
      { id, type: 'a.b', payload: { deep: [1, { x: null }] }, metadata: rest },
    ])
  })

  test('match patterns in the same way', async () => {
    const [sender, receiver] = await pair()
    const seen: Record<string, string[]> = {}
    for (const pattern of ['a.b', 'a.*', 'a.>', '*.b', '>']) {
      await receiver.subscribe(pattern, ({ type }) => void (seen[pattern] ??= []).push(type))
    }
    for (const type of ['a.b', 'a.c', 'a.b.c', 'x.b', 'a']) await sender.publish(type, 1)
    await until(() => seen['>']?.length === 5, 'all arrive')
    expect(seen).toEqual({
      'a.b': ['a.b'],
      'a.*': ['a.b', 'a.c'],
      'a.>': ['a.b', 'a.c', 'a.b.c'],
      '*.b': ['a.b', 'x.b'],
      '>': ['a.b', 'a.c', 'a.b.c', 'x.b', 'a'],
    })
  })

  test('give each handler a payload of its own, and fix its bytes in publish', async () => {
    const [sender, receiver] = await pair()
    const got: unknown[] = []
    const handler = ({ payload }: { payload: unknown }): void => {
      got.push(structuredClone(payload))
      ;(payload as { n: number }).n = -1
    }
    await receiver.subscribe('a', handler)
    await receiver.subscribe('a', handler)
    const payload = { n: 1 }
    const sent = sender.publish('a', payload)
    payload.n = 2
    await sent
    await until(() => got.length === 2, 'both get it')
    expect(got).toEqual([{ n: 1 }, { n: 1 }])
  })

  test('keep a failing handler from publisher and neighbours, and its event as a dead letter', async () => {
    const [sender, receiver] = await pair()
    const fine: unknown[] = []
    await receiver.subscribe('a', () => Promise.reject(new Error('no')))
    await receiver.subscribe('a', ({ payload }) => void fine.push(payload))
    await sender.publish('a', 1)
    await until(() => fine.length === 1 && receiver.deadLetters?.size === 1, 'both happen')
    expect(receiver.deadLetters?.list()).toMatchObject([
      { reason: 'handler', direction: 'inbound', attempts: 1, event: { payload: 1 } },
    ])
  })

  test('give up the oldest of a full subscription that may drop it', async () => {
    const [sender, receiver] = await pair()
    const numbers: unknown[] = []
    const queue = { capacity: 3, strategy: 'drop-oldest' } as const
    const subscription = await receiver.subscribe(
      'a',
      ({ payload }) => void numbers.push(payload),
      { queue },
    )
    subscription.pause()
    for (let n = 0; n < 10; n++) await sender.publish('a', n)
    await until(() => subscription.stats().queue.received === 10, 'all arrive')
    subscription.resume()
    await until(() => numbers.length === 3, 'what is left is handled')
    expect(numbers).toEqual([7, 8, 9])
    expect(receiver.deadLetters?.list().map(({ reason }) => reason)).toEqual(
      Array(7).fill('dropped'),
    )
  })

  test('are iterated in order', async () => {
    const [sender, receiver] = await pair()
    const events = receiver.events('a')
    const first = events.next()
    await until(
      () => receiver.subscriptions.length === 1 && receiver.status.state === 'ready',
      'live',
    )
    // Live is a matter of a turn after that.
    await receiver.subscribe('other', () => {})
    // Not awaited: over some transports an iterator that nobody asks holds back whoever awaits its publish.
    const sent = Promise.all(Array.from({ length: 20 }, (_, n) => sender.publish('a', n)))
    const numbers = [(await first).value?.payload]
    for await (const { payload } of events) if (numbers.push(payload) === 20) break
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, n) => n))
    await sent
  })

  test('refuse what cannot be written, and an event type that is none, in the same words', async () => {
    const [sender] = await pair()
    await expect(sender.publish('a', 1n)).rejects.toMatchObject({
      code: 'serialization',
      outcome: 'not-sent',
      retryable: false,
    })
    await expect(sender.publish('a b', 1)).rejects.toMatchObject({ code: 'config', path: 'type' })
    await expect(sender.subscribe('a..b', () => {})).rejects.toMatchObject({ code: 'config' })
    await expect(sender.unsubscribe('nobody')).rejects.toMatchObject({
      code: 'unknown-subscription',
    })
  })

  test('drain what was accepted, and take nothing after that', async () => {
    const [sender, receiver] = await pair()
    const numbers: unknown[] = []
    await receiver.subscribe('a', ({ payload }) => void numbers.push(payload))
    const all = Array.from({ length: 300 }, (_, n) => sender.publish('a', n))
    await expect(sender.drain()).resolves.toEqual({ unsent: [], unhandled: 0 })
    await Promise.all(all)
    await until(() => numbers.length === 300, 'all arrive')
    await expect(sender.publish('a', 1)).rejects.toMatchObject({
      code: 'closed',
      outcome: 'not-sent',
    })
    expect(sender.status).toMatchObject({ state: 'closed', cause: undefined })
    await expect(sender.drain()).resolves.toEqual({ unsent: [], unhandled: 0 })
  })

  test('emit without a promise', async () => {
    const [sender, receiver] = await pair()
    const numbers: unknown[] = []
    await receiver.subscribe('a', ({ payload }) => void numbers.push(payload))
    await sender.connect()
    for (let n = 0; n < 50; n++) expect(sender.emit('a', n)).toBe(true)
    await until(() => numbers.length === 50, 'all arrive')
    expect(sender.backpressureStats()).toMatchObject({ received: 50, sent: 50, size: 0 })
  })
})
