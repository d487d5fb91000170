import { pipeline } from 'node:stream/promises'
import { createBus, createEvent, type Bus, type Event } from '@bus/core'
import { assert, asyncProperty, nat } from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1, type WebSocketTransport, type WebSocketTransportOptions } from '../src/index.ts'
import { frameOf, serve, transportTo, until, untilStill } from './harness.ts'
import { startHub } from './hub-clients.ts'

function busTo(
  server: { readonly url: string },
  options: Omit<WebSocketTransportOptions, 'url'> = {},
): { readonly bus: Bus; readonly transport: WebSocketTransport } {
  const transport = transportTo(server, options)
  const bus = createBus({ transport })
  onTestFinished(() => bus.close())
  return { bus, transport }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

/** Pulls from a live feed whose server has sent `count` numbered events. */
async function feedOf(count: number, highWaterMark: number) {
  const server = await serve()
  const { bus, transport } = busTo(server)
  const events = bus.events('a', { highWaterMark })
  await until(() => transport.status.state === 'ready', 'it is live')
  for (const n of numbers(count)) server.inject(frameOf('a', n, `e${n}`))
  const take = async (n: number): Promise<unknown[]> => {
    const taken: unknown[] = []
    while (taken.length < n) taken.push((await events.next()).value?.payload)
    return taken
  }
  return { bus, transport, server, events, take }
}

const isPaused = async (transport: WebSocketTransport): Promise<boolean> =>
  (await transport.health()).reasons.some((reason) => reason.includes('paused'))

describe('demand', () => {
  test('that is not there lets events wait; that is there is met at once; a part of it gets exactly that many, and the rest keeps its order', async () => {
    const { bus, server, take, events } = await feedOf(10, 100)
    const queued = (): number | undefined => bus.subscriptions[0]?.stats().queue.size
    // One more is in hand.
    await until(() => queued() === 9, 'all wait')
    expect(await take(3)).toEqual([0, 1, 2])
    await until(() => queued() === 7, 'the rest waits')
    expect(await take(7)).toEqual([3, 4, 5, 6, 7, 8, 9])
    const waiting = events.next()
    server.inject(frameOf('a', 10))
    expect((await waiting).value?.payload).toBe(10)
    await events.return?.()
  })

  test('of any size takes that many from a queue, or all that it has, in order; of none it changes nothing', async () => {
    await assert(
      asyncProperty(nat(6), nat(6), async (size, asked) => {
        const { bus, events, take } = await feedOf(size, 100)
        const queued = (): number => bus.subscriptions[0]?.stats().queue.size ?? 0
        await until(() => queued() === Math.max(size - 1, 0), 'all wait')
        const taken = await take(Math.min(asked, size))
        expect(taken).toEqual(numbers(Math.min(asked, size)))
        // One is in hand: the last that was taken, or the first.
        expect(queued()).toBe(Math.max(size - Math.max(taken.length, 1), 0))
        expect(await take(size - taken.length)).toEqual(numbers(size).slice(taken.length))
        await events.return?.()
      }),
      { numRuns: 15 },
    )
  })

  test('pauses the socket at the high mark, and reads again only at the low one', async () => {
    const server = await serve()
    const { bus, transport } = busTo(server)
    const events = bus.events('a', { highWaterMark: 8, lowWaterMark: 1 })
    await until(() => transport.status.state === 'ready', 'it is live')
    // Each a read of its own.
    for (const n of numbers(9)) {
      server.inject(frameOf('a', n))
      await until(() => transport.stats().received === n + 1, 'it is read')
    }
    await expect.poll(() => isPaused(transport)).toBe(true)
    server.inject(frameOf('a', 9))
    for (const n of numbers(7)) expect((await events.next()).value?.payload).toBe(n)
    await untilStill(() => transport.stats().received, 'nothing is read')
    expect([await isPaused(transport), transport.stats().received]).toEqual([true, 9])
    expect((await events.next()).value?.payload).toBe(7)
    await until(() => transport.stats().received === 10, 'it reads again')
    expect(await isPaused(transport)).toBe(false)
    await events.return?.()
  })

  test('that is missing withholds the credits of a hub, which keeps what does not fit', async () => {
    const hub = await startHub({ limits: { window: { events: 16 } } })
    const { bus, transport } = busTo(hub, { protocol: busV1() })
    const events = bus.events('a', { highWaterMark: 4 })
    const first = events.next()
    await until(() => transport.status.state === 'ready', 'it is live')
    const publisher = busTo(hub, { protocol: busV1() }).bus
    for (const n of numbers(500)) await publisher.publish('a', n)
    await first
    await untilStill(() => transport.stats().received, 'the window is full')
    expect(transport.stats().received).toBeLessThanOrEqual(17)
    const seen = [0]
    for await (const { payload } of events) if (seen.push(payload as number) === 500) break
    expect(seen).toEqual(numbers(500))
  })

  test('is requested in marks that fit', async () => {
    const server = await serve()
    const { bus } = busTo(server)
    const events = bus.events('a', { highWaterMark: 4, lowWaterMark: 4 })
    await expect(events.next()).rejects.toMatchObject({ code: 'config', path: 'lowWaterMark' })
    await expect(bus.subscribe('a', () => {}, { lowWaterMark: -1 })).rejects.toMatchObject({
      path: 'lowWaterMark',
    })
  })
})

test('a pipeline of streams carries events from one live connection to another, at the pace of the slowest', async () => {
  const source = await serve()
  const target = await serve()
  const { bus: from, transport } = busTo(source)
  const { bus: to } = busTo(target)
  let isOpen: () => void = () => {}
  const opened = new Promise<void>((resolve) => (isOpen = resolve))
  async function* doubled(events: AsyncIterable<Event<number>>): AsyncGenerator<Event> {
    for await (const { payload } of events) {
      await opened
      yield createEvent('b', payload * 2)
    }
  }
  const stop = new AbortController()
  const piping = pipeline(
    from.toReadable('a', { highWaterMark: 4, lowWaterMark: 0 }),
    doubled,
    to.toWritable(),
    { signal: stop.signal },
  )
  await until(() => transport.status.state === 'ready', 'it is live')
  for (const n of numbers(200)) {
    source.inject(frameOf('a', n))
    if (n < 30) await until(() => transport.stats().received === n + 1 || n > 5, 'read one by one')
  }
  await expect.poll(() => isPaused(transport)).toBe(true)
  expect(target.received).toEqual([])
  isOpen()
  await until(() => target.received.length === 200, 'all arrive')
  const payloads = target.received.map(
    ({ data }) => (JSON.parse(String(data)) as { payload: number }).payload,
  )
  expect(payloads).toEqual(numbers(200).map((n) => n * 2))
  stop.abort()
  await expect(piping).rejects.toMatchObject({ name: 'AbortError' })
  await until(() => from.subscriptions.length === 0, 'it is unsubscribed')
})
