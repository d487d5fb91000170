import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { collect, leavesNothing, resources, transportTo, until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { createHub } from '../src/hub/index.ts'
import { createEvent } from '@bus/core'

test('relays each frame to every other connection, in order, and not to the one that it came from', async () => {
  const hub = await startHub()
  const [a, b, c] = await Promise.all([join(hub), join(hub), join(hub)])
  for (let n = 0; n < 100; n++) a.send(`a${n}`)
  b.send('b0')
  await until(() => b.frames.length === 100 && c.frames.length === 101, 'all arrives')
  expect(b.frames).toEqual(Array.from({ length: 100 }, (_, n) => `a${n}`))
  expect(c.frames.filter((frame) => frame !== 'b0')).toEqual(b.frames)
  expect(a.frames).toEqual(['b0'])
})

test('keeps text as text and binary as binary, byte for byte', async () => {
  const hub = await startHub()
  const [a, b] = await Promise.all([join(hub), join(hub)])
  const sent = ['', 'plain', 'ünïcödé 🚌', Buffer.alloc(0), Buffer.from([0, 255, 128, 10])]
  for (const frame of sent) a.send(frame)
  await until(() => b.frames.length === sent.length, 'all arrives')
  expect(b.frames).toEqual(sent)
})

test('carries events between transports, each of which gets only those of the others', async () => {
  const hub = await startHub()
  const [left, right] = [transportTo(hub), transportTo(hub)]
  const [atLeft, atRight] = await Promise.all([collect(left), collect(right)])
  await left.publish(createEvent('from.left', 1))
  await right.publish(createEvent('from.right', 2))
  await until(() => atLeft.events.length === 1 && atRight.events.length === 1, 'both arrive')
  expect(atLeft.events[0]).toMatchObject({ type: 'from.right', payload: 2 })
  expect(atRight.events[0]).toMatchObject({ type: 'from.left', payload: 1 })
  expect(left.capabilities.echo).toBe(false)
})

test('counts frames that came in and, for each reader, those that were taken or lost', async () => {
  const hub = await startHub()
  const [a, b] = await Promise.all([join(hub), join(hub), join(hub)])
  for (let n = 0; n < 50; n++) {
    a.send(`a${n}`)
    b.send(`b${n}`)
  }
  await until(() => hub.stats().relayed === 200, 'all is relayed')
  expect(hub.stats()).toMatchObject({
    connections: 3,
    received: 100,
    relayed: 200,
    lost: 0,
    slowReaders: 0,
    badFrames: 0,
  })
  a.ws.terminate()
  await until(() => hub.stats().connections === 2, 'the end is seen')
})

test('closes its connections with going away, listens no more and leaves nothing behind [F137]', async () => {
  const before = resources()
  const hub = await createHub({ allowAnonymous: true })
  const [a, b] = await Promise.all([join(hub), join(hub)])
  const closing = hub.close()
  expect(hub.close()).toBe(closing)
  await closing
  const gone = { code: 1001, reason: 'the hub is closing' }
  await expect(Promise.all([a.closed, b.closed])).resolves.toEqual([gone, gone])
  await expect(join(hub)).rejects.toThrow('ECONNREFUSED')
  await leavesNothing(before)
})

test('delivers what it has taken in before it says goodbye', async () => {
  const hub = await startHub()
  const [a, b] = await Promise.all([join(hub), join(hub)])
  for (let n = 0; n < 1_000; n++) a.send(`${n}`)
  await until(() => hub.stats().received === 1_000, 'the hub has all')
  await hub.close()
  await b.closed
  expect(b.frames).toHaveLength(1_000)
})

test('works with await using', async () => {
  let url: string
  {
    await using hub = await createHub({ allowAnonymous: true })
    url = hub.url
    await join(hub)
  }
  await expect(join({ url })).rejects.toThrow('ECONNREFUSED')
})

test('takes transports back on the port where it was, with their subscriptions', async () => {
  const first = await startHub()
  const { port } = first
  const [left, right] = [transportTo(first), transportTo(first)]
  const atRight = await collect(right, 'order.*')
  await left.connect()
  await first.close()
  await until(() => left.status.state !== 'ready' && right.status.state !== 'ready', 'both see it')
  const published = left.publish(createEvent('order.created', 1))
  await nextTurn()
  const second = await startHub({ port })
  await until(() => second.stats().connections === 2, 'both are back')
  await published
  // Who comes back first may publish before the other is there: the plain wire keeps nothing.
  await left.publish(createEvent('order.created', 2))
  await until(() => atRight.payloads.includes(2), 'the event arrives')
})
