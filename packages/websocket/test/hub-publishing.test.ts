/** Events that the application publishes on its own hub. */
import { createBus } from '@bus/core'
import { expect, onTestFinished, test } from 'vitest'
import { webSocketTransport } from '../src/index.ts'
import { until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { greet, sub } from './wire-client.ts'

test('reach subscribers of both wires, in order with those of others, and are confirmed', async () => {
  const hub = await startHub()
  const bus = createBus({ transport: webSocketTransport({ url: hub.url }) })
  onTestFinished(() => bus.close())
  const got: unknown[] = []
  await bus.subscribe(
    'order.*',
    ({ payload, metadata }) => void got.push([payload, metadata.source]),
  )
  const plain = await join(hub)
  const receipts = await Promise.all(
    Array.from({ length: 100 }, (_, n) => hub.publish('order.created', { n }, { source: 'shop' })),
  )
  expect(new Set(receipts.map(({ status }) => status))).toEqual(new Set(['confirmed']))
  await until(() => got.length === 100 && plain.frames.length === 100, 'all of them')
  expect(got).toEqual(Array.from({ length: 100 }, (_, n) => [{ n }, 'shop']))
  expect(hub.stats().busV1).toMatchObject({ published: 100, sessions: 1 })
})

test('wait for the subscribers with confirm: subscribers', async () => {
  const hub = await startHub({ confirm: 'subscribers', graceMs: 0, holdMs: 60_000 })
  const reader = await greet(hub, { subs: [sub(1, 'a')] })
  let isConfirmed = false
  const publish = hub.publish('a', 1).then(() => (isConfirmed = true))
  await reader.events(1)
  await reader.settled()
  expect(isConfirmed).toBe(false)
  reader.say('ack 1')
  await publish
})

test('wait for room in a log that is full, and are given up where too much waits', async () => {
  const hub = await startHub({
    log: { maxEvents: 1 },
    holdMs: 60_000,
    limits: { window: { events: 5 } },
  })
  const reader = await greet(hub, { subs: [sub(1, 'a')] })
  await hub.publish('a', 1)
  const waiting = [2, 3, 4, 5, 6].map((n) => hub.publish('a', n))
  await expect(hub.publish('a', 7)).rejects.toMatchObject({
    code: 'queue-full',
    outcome: 'not-sent',
  })
  for (let n = 1; n <= 6; n++) {
    await reader.events(n)
    reader.say(`ack ${n}`)
  }
  await Promise.all(waiting)
  expect(reader.payloads).toEqual([1, 2, 3, 4, 5, 6])
  await expect(hub.publish('a', 8)).resolves.toMatchObject({ status: 'confirmed' })
})

test.each<[string, string, unknown, object]>([
  ['a bad type', 'no type!', 1, { code: 'config' }],
  ['what JSON cannot represent', 'a', 1n, { code: 'serialization' }],
  ['too large an event', 'a', 'x'.repeat(300_000), { code: 'rejected' }],
])('of %s are refused, and nothing else', async (_, type, payload, error) => {
  const hub = await startHub()
  await expect(hub.publish(type, payload)).rejects.toMatchObject(error)
  await expect(hub.publish('a', 1)).resolves.toMatchObject({ status: 'confirmed' })
})

test('are refused once the hub drains', async () => {
  const hub = await startHub()
  await hub.drain()
  await expect(hub.publish('a', 1)).rejects.toMatchObject({ code: 'closed', outcome: 'not-sent' })
})
