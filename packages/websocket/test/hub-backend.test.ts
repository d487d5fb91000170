import {
  ConfigError,
  DisconnectedError,
  TooLargeError,
  createEvent,
  type Transport,
} from '@bus/core'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import { expect, test } from 'vitest'
import { busV1, type WebSocketTransport } from '../src/index.ts'
import { plainJson } from '../src/protocol/index.ts'
import { createHub, type HubOptions } from '../src/hub/index.ts'
import { collect, numbered, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

/** Two hubs over one medium, and a client of each. */
async function two(options: Partial<HubOptions> = {}) {
  const medium = memoryMedium()
  const start = () => startHub({ ...options, backend: memoryTransport({ medium }) })
  const hubs = [await start(), await start()] as const
  const client = (hub: { readonly url: string }): WebSocketTransport =>
    transportTo(hub, { protocol: busV1() })
  return { medium, hubs, here: client(hubs[0]), there: client(hubs[1]) }
}

/** A memory transport whose publishes go through the given function. */
function through(publish: (go: () => ReturnType<Transport['publish']>) => unknown): Transport {
  const inner = memoryTransport({ medium: memoryMedium() })
  return new Proxy(inner, {
    get: (target, name) => {
      if (name === 'publish') {
        return (...args: Parameters<Transport['publish']>) => publish(() => target.publish(...args))
      }
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

test('an event that one hub takes reaches the subscribers of both, once, in order and as it was', async () => {
  const { hubs, here, there } = await two()
  const [near, far] = [await collect(here, '>'), await collect(there, '>')]
  const events = numbered(300).map(({ type, payload }) =>
    createEvent(type, payload, { source: 'shop', traceparent: '00-1' }),
  )
  const receipts = await Promise.all(events.map((event) => here.publish(event)))
  expect(receipts.every(({ status }) => status === 'confirmed')).toBe(true)
  await until(() => far.events.length === 300 && near.events.length === 300, 'all, everywhere')
  expect(far.events).toEqual(events)
  expect(near.events).toEqual(events)
  await there.publish(createEvent('back', 1))
  await until(() => near.events.length === 301, 'the way back')
  expect(far.events).toHaveLength(301)
  expect(hubs[0].stats().backend).toEqual({ shared: 300, received: 1, refused: 0, waiting: 0 })
})

test('events of the plain wire cross over to the other hub, for both of its wires', async () => {
  const { hubs, there } = await two()
  const [plainHere, plainThere] = hubs.map((hub) => transportTo(hub, { protocol: plainJson() }))
  const far = await collect(there, '>')
  const plain = await collect(plainThere ?? there, '>')
  await plainThere?.connect()
  await plainHere?.publish(createEvent('a.b', { n: 1 }))
  await until(() => far.events.length === 1 && plain.events.length === 1, 'both')
  expect(far.payloads).toEqual([{ n: 1 }])
  expect(plain.payloads).toEqual([{ n: 1 }])
})

test('a publish is confirmed only when the backend has confirmed it [F165]', async () => {
  const waiting: (() => void)[] = []
  const backend = through(
    async (go) => await new Promise((resolve) => waiting.push(() => resolve(go()))),
  )
  const hub = await startHub({ backend })
  const transport = transportTo(hub, { protocol: busV1() })
  let confirmed = 0
  const publishes = numbered(3).map(async (event) => {
    await transport.publish(event)
    confirmed++
  })
  await until(() => waiting.length === 3, 'three to share')
  expect(hub.stats().backend).toMatchObject({ shared: 0, waiting: 3 })
  // The second alone confirms nothing: the first is not there yet.
  waiting[1]?.()
  await until(() => hub.stats().backend?.shared === 1, 'the second')
  expect(confirmed).toBe(0)
  waiting[0]?.()
  await until(() => confirmed === 2, 'two')
  waiting[2]?.()
  await Promise.all(publishes)
})

test('what the backend cannot take now is tried again; what it refuses for good stays with this hub, and is reported', async () => {
  const errors: unknown[] = []
  let attempts = 0
  const backend = through(async (go) => {
    attempts++
    if (attempts === 1) throw new DisconnectedError('away')
    if (attempts === 3) throw new TooLargeError('The event', 2, 1)
    return await go()
  })
  const hub = await startHub({ backend, onError: (error) => errors.push(error) })
  const transport = transportTo(hub, { protocol: busV1() })
  const sink = await collect(transport, '>')
  await transport.publish(createEvent('a', 1))
  expect(attempts).toBe(2)
  await transport.publish(createEvent('a', 2))
  expect(sink.payloads).toEqual([1, 2])
  expect(errors).toMatchObject([{ code: 'disconnected' }, { code: 'too-large' }])
  expect(hub.stats().backend).toEqual({ shared: 1, received: 0, refused: 1, waiting: 0 })
})

test('an event at which the backend throws something else is not tried for ever, and delays no other event', async () => {
  const errors: unknown[] = []
  let attempts = 0
  const backend = through(() => {
    attempts++
    throw new TypeError('no')
  })
  const hub = await startHub({ backend, onError: (error) => errors.push(error) })
  const transport = transportTo(hub, { protocol: busV1() })
  await transport.publish(createEvent('a', 1))
  expect([attempts, errors]).toEqual([1, [new TypeError('no')]])
})

test('what the plain wire cannot carry is the backend’s to decide: refused there, it is counted and reported', async () => {
  const errors: unknown[] = []
  const { hubs, here } = await two({ onError: (error) => errors.push(error) })
  await transportTo(hubs[0], { protocol: plainJson() }).connect()
  // A moment beyond the year 9999 has no form in plain JSON, which is what the memory transport writes too. Made by hand, as
  // by a client in another language: ours refuse it.
  const metadata = Object.freeze({ timestamp: 8.64e15 })
  await here.publish(Object.freeze({ ...createEvent('a', 1), metadata }))
  expect(hubs[0].stats()).toMatchObject({ unbridged: 1, backend: { refused: 1, waiting: 0 } })
  expect(errors).toMatchObject([{ code: 'config', path: 'metadata.timestamp' }])
})

test('an event of another hub for which there is no room waits, and so do those behind it', async () => {
  const { hubs, here, there } = await two({ log: { maxEvents: 10 }, holdMs: 60_000 })
  const tokens: number[] = []
  const sink = { deliver: (_event: unknown, token: number) => tokens.push(token) > 0 }
  const feed = there.subscribe(['>'], sink)
  await feed.live
  const publishes = numbered(50).map((event) => here.publish(event))
  await until(() => (hubs[1].stats().backend?.received ?? 0) >= 10, 'a full log')
  for (let settled = 0; settled < 50; settled++) {
    await until(() => tokens.length > settled, `event ${settled}`)
    feed.settle(tokens[settled] ?? 0)
  }
  await Promise.all(publishes)
  expect(hubs[1].stats().busV1.shed).toBe(0)
})

test('the hub closes its backend, and does not start without it', async () => {
  const backend = memoryTransport({ medium: memoryMedium() })
  const hub = await createHub({ allowAnonymous: true, backend })
  await hub.close()
  expect(backend.status.state).toBe('closed')
  await expect(createHub({ allowAnonymous: true, backend })).rejects.toMatchObject({
    code: 'closed',
  })
  await expect(
    createHub({ allowAnonymous: true, backend: {} as Transport }),
  ).rejects.toBeInstanceOf(ConfigError)
})
