/** Hubs whose backend is another hub: an event that goes in a circle is stopped. */
import { createEvent, type Event, type Transport } from '@bus/core'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import { expect, test } from 'vitest'
import { busV1, webSocketTransport, type WebSocketTransport } from '../src/index.ts'
import { createHub, type Hub } from '../src/hub/index.ts'
import { collect, numbered, transportTo, until, untilStill } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, sub } from './wire-client.ts'

/** Ports that are free now, so that each hub can be told the other's address before that one is there. */
async function freePorts(count: number): Promise<number[]> {
  const hubs = await Promise.all(Array.from({ length: count }, () => startHub()))
  const ports = hubs.map(({ port }) => port)
  await Promise.all(hubs.map((hub) => hub.close()))
  return ports
}

const clientOf = (port: number): Transport =>
  webSocketTransport({
    url: `ws://127.0.0.1:${port}`,
    protocol: busV1({ fallback: false }),
    reconnect: { backoff: () => 20 },
  })

/** A transport that is connected later: a ring cannot begin otherwise. */
function patient(inner: Transport): Transport {
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === 'connect')
        return () => Promise.resolve(void target.connect({ retry: true }).catch(() => {}))
      if (name === 'subscribe') {
        return (...args: Parameters<Transport['subscribe']>) => {
          const feed = target.subscribe(...args)
          feed.live.catch(() => {})
          return Object.assign(Object.create(feed) as typeof feed, { live: Promise.resolve() })
        }
      }
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** Hubs in a circle: each has the next one as its backend. */
async function ring(count: number): Promise<Hub[]> {
  const ports = await freePorts(count)
  const hubs: Hub[] = []
  for (const [i, port] of ports.entries()) {
    const next = ports[(i + 1) % count] ?? 0
    hubs.push(await startHub({ port, backend: patient(clientOf(next)) }))
  }
  await until(() => hubs.every((hub) => hub.stats().connections === 1), 'the ring is closed')
  return hubs
}

const client = (hub: Hub): WebSocketTransport => transportTo(hub, { protocol: busV1() })

test.each([2, 3])(
  'a ring of %i hubs gives each event to every subscriber once, and comes to rest [F168]',
  async (count) => {
    const hubs = await ring(count)
    const readers = await Promise.all(hubs.map((hub) => collect(client(hub), '>')))
    const publishers = hubs.map(client)
    const events = hubs.map((_hub, i) => numbered(20, `from.h${i}`))
    const receipts = await Promise.all(
      publishers.flatMap((publisher, i) => (events[i] ?? []).map((e) => publisher.publish(e))),
    )
    expect(receipts.every(({ status }) => status === 'confirmed')).toBe(true)
    const published = (): number => hubs.reduce((sum, hub) => sum + hub.stats().busV1.published, 0)
    await until(
      () => readers.every((reader) => reader.events.length >= 20 * count),
      'all, everywhere',
    )
    await untilStill(published, 'the ring is at rest', 50)
    const all = events.flat().map(({ id }) => id)
    for (const reader of readers) {
      expect(reader.events.map(({ id }) => id).toSorted()).toEqual(all.toSorted())
    }
    expect(published()).toBe(20 * count * count)
  },
)

test('a chain of hubs passes an event on to its end, both ways [F168]', async () => {
  const middle = await startHub({ backend: memoryTransport({ medium: memoryMedium() }) })
  const left = await startHub({ backend: clientOf(middle.port) })
  const right = await startHub({ backend: clientOf(middle.port) })
  const readers = await Promise.all([left, middle, right].map((hub) => collect(client(hub), '>')))
  for (const [i, hub] of [left, middle, right].entries()) {
    await client(hub).publish(createEvent('a', i, { source: 'shop' }))
    await until(() => readers.every((reader) => reader.events.length === i + 1), `event ${i}`)
  }
  expect(readers.map((reader) => reader.payloads)).toEqual([
    [0, 1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ])
})

test('what a medium gives twice comes once, and one id that is used twice on purpose comes twice [F167, F168]', async () => {
  const medium = memoryMedium()
  const twice = (inner: Transport): Transport =>
    new Proxy(inner, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        if (name !== 'publish') return member.bind(target)
        return async (event: Event) => {
          await target.publish(event)
          return await target.publish(event)
        }
      },
    })
  const here = await startHub({ backend: twice(memoryTransport({ medium })) })
  const there = await startHub({ backend: memoryTransport({ medium }) })
  const far = await collect(client(there), '>')
  const publisher = client(here)
  await publisher.publish(createEvent('a', 1, { id: 'same', source: 'shop' }))
  await publisher.publish(createEvent('a', 2, { id: 'same', source: 'shop' }))
  await publisher.publish(createEvent('last', 3))
  await until(() => far.payloads.includes(3), 'the last one')
  expect(far.payloads).toEqual([1, 2, 3])
  expect(there.stats().backend?.received).toBe(3)
})

test('an event that has come through as many hubs as it may goes no further [F168]', async () => {
  const medium = memoryMedium()
  const hub = await startHub({ backend: memoryTransport({ medium }) })
  const other = await collect(
    transportTo(await startHub({ backend: memoryTransport({ medium }) })),
    '>',
  )
  const publisher = await greet(hub, { subs: [sub(1, '>')] })
  const passed = JSON.stringify(Array.from({ length: 8 }, (_, i) => `h${i}:1`))
  publisher.say(
    `pub 1 a i1 {"payload":1,"metadata":{"timestamp":1,"busHub":${passed}}}`,
    'pub 2 a i2 {"payload":2,"metadata":{"timestamp":1,"busHub":["h:1"]}}',
    'pub 3 a i3 {"payload":3,"metadata":null,"busHub":[]}',
  )
  await publisher.line('ok 3')
  await publisher.events(3)
  expect(hub.stats().backend).toMatchObject({ shared: 1, refused: 1, waiting: 0 })
  expect(other.events.length).toBeLessThan(3)
  await createHub({ allowAnonymous: true }).then((one) => one.close())
})
