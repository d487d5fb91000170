import { systemClock } from '@bus/core/kit'
import { expect, test } from 'vitest'
import { FlushScheduler } from '../src/hub/bus-v1/flush-scheduler.ts'
import { FanOut } from '../src/hub/relay.ts'
import { join, startHub, type HubClient } from './hub-clients.ts'
import { until } from './harness.ts'
import { greet, pub, sub } from './wire-client.ts'

test('one event for very many readers lets other work run after every 512 of them [F162]', async () => {
  const order: string[] = []
  const session = { subscriber: { position: 0, passBy: () => false } }
  const readers = new Map(
    Array.from({ length: 2_000 }, (_, i) => [
      i,
      { session, flush: () => void order.push('served') },
    ]),
  )
  const endFlush = (): boolean => {
    order.push('done')
    return false
  }
  const flush = new FlushScheduler({
    clock: systemClock,
    log: { lastOffset: 1 },
    sets: { endFlush },
    confirmations: undefined,
    readers,
  })
  flush.schedule()
  const other = (): void => {
    order.push('other')
    if (!order.includes('done')) setImmediate(other)
  }
  setImmediate(other)
  await until(() => order.includes('done') && order.at(-1) === 'other', 'all are served')
  const runs = order.join(' ').split(/(?: ?(?:other|done) ?)+/)
  const served = runs.map((run) => run.split(' ').filter((word) => word === 'served').length)
  expect(Math.max(...served)).toBe(512)
  expect(served.reduce((sum, count) => sum + count)).toBe(2_000)
})

test('every one of many readers gets it, and one that asks something meanwhile is answered [F162]', async () => {
  const hub = await startHub({ limits: { connectionsPerIp: Infinity } })
  const readers = []
  for (let n = 0; n < 600; n += 50) {
    const some = Array.from({ length: 50 }, () => greet(hub, { subs: [sub(1, '>', 'amo')] }))
    readers.push(...(await Promise.all(some)))
  }
  const publisher = await greet(hub)
  publisher.say(...Array.from({ length: 20 }, (_, i) => pub(i + 1, i)))
  await publisher.line('ok 20')
  await publisher.settled()
  await Promise.all(readers.map((reader) => reader.events(20)))
  expect(hub.stats().busV1.delivered).toBe(600 * 20)
})

test('on the plain wire as well: frames go to 512 at a time, in order, and the sender waits meanwhile [F162]', async () => {
  const got: number[][] = []
  const peers = new Map(
    Array.from({ length: 1_500 }, (_, i) => [
      { send: (data: Buffer) => got[i]?.push(data[0] ?? 0) },
      i,
    ]),
  )
  for (let i = 0; i < 1_500; i++) got.push([])
  const [sender] = peers.keys()
  let done = 0
  const fanOut = new FanOut(peers, () => void done++)
  let most = 0
  let before = 0
  const look = (): void => {
    const now = got.reduce((sum, { length }) => sum + length, 0)
    most = Math.max(most, now - before)
    before = now
    if (!fanOut.isIdle) setImmediate(look)
  }
  expect(fanOut.send(Buffer.from([1]), false, sender)).toBe(false)
  expect(fanOut.send(Buffer.from([2]), false, sender)).toBe(false)
  setImmediate(look)
  await until(() => done === 2, 'both were sent to all')
  expect(most).toBeLessThanOrEqual(512)
  expect(got[0]).toEqual([])
  expect(got.slice(1).every((frames) => frames.join(' ') === '1 2')).toBe(true)
  // What is left is given at once when the hub closes.
  fanOut.send(Buffer.from([3]), false, undefined)
  fanOut.flush()
  expect(got.every((frames) => frames.at(-1) === 3)).toBe(true)
})

test('six hundred plain readers get every frame in order, also those of a sender that floods, and nothing is left behind [F162]', async () => {
  const hub = await startHub()
  const readers: HubClient[] = []
  for (let n = 0; n < 600; n += 50) {
    readers.push(...(await Promise.all(Array.from({ length: 50 }, () => join(hub)))))
  }
  const [sender, other] = [await join(hub), await greet(hub, { subs: [sub(1, '>')] })]
  const frame = (n: number): string =>
    JSON.stringify({ id: `i${n}`, event_type: 'a', payload: n, metadata: { timestamp: 1 } })
  const frames = Array.from({ length: 40 }, (_, n) => frame(n))
  for (const text of frames) sender.send(text)
  other.say(pub(1, 'crosses over'))
  await other.line('ok 1')
  await until(
    () => readers.every((reader) => reader.frames.length === 41),
    'all, everywhere',
    9_000,
  )
  for (const reader of readers) {
    expect(reader.frames.filter((text) => !String(text).includes('crosses'))).toEqual(frames)
  }
  await other.events(41)
})
