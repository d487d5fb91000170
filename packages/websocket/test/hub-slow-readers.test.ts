import { createEvent } from '@bus/core'
import { expect, test } from 'vitest'
import type { HubStats } from '../src/hub/index.ts'
import { Collector, collect, numbered, transportTo, until } from './harness.ts'
import { join, joinFrozen, startHub } from './hub-clients.ts'
import { rawFrame, rawPeer } from './raw-peer.ts'

const KB = 'x'.repeat(1_000)
/** More than the buffers of the kernel on the way hold. */
const FLOOD = 2_500
const TEN_KB = KB.repeat(10)

/** Resolves when the hub has not read anything for a while. */
async function standsStill(stats: () => HubStats): Promise<void> {
  let last = -1
  let same = 0
  await until(() => {
    same = stats().received === last ? same + 1 : 0
    last = stats().received
    return same > 20
  }, 'the hub stops reading')
}

test('slows the publisher down to a reader that stopped, and loses nothing once it reads on', async () => {
  const hub = await startHub({ highWaterMarkBytes: 64_000, slowReaderMs: 60_000 })
  const frozen = await joinFrozen(hub)
  const healthy = await join(hub)
  const publisher = transportTo(hub, { queue: { capacity: 100 }, highWaterMarkBytes: 64_000 })
  const all = Array.from({ length: FLOOD }, (_, n) =>
    publisher.publish(createEvent('a', { n, TEN_KB })),
  )
  await standsStill(() => hub.stats())
  expect(hub.stats().received).toBeLessThan(FLOOD)
  expect(publisher.backpressureStats()).toMatchObject({ size: 100, dropped: 0, rejected: 0 })
  frozen.ws.resume()
  await Promise.all(all)
  const counts = (): number[] => [frozen.frames.length, healthy.frames.length]
  await until(() => counts().every((n) => n === FLOOD), 'all have everything')
  const numbers = frozen.frames.map(
    (f) => (JSON.parse(String(f)) as { payload: { n: number } }).payload.n,
  )
  expect(numbers).toEqual(Array.from({ length: FLOOD }, (_, n) => n))
  expect(hub.stats()).toMatchObject({
    received: FLOOD,
    relayed: 2 * FLOOD,
    lost: 0,
    slowReaders: 0,
    badFrames: 0,
  })
})

test('cuts a reader off that does not go on in time, and every other one gets everything', async () => {
  const hub = await startHub({ highWaterMarkBytes: 64_000, slowReaderMs: 100 })
  const frozen = await joinFrozen(hub)
  const healthy = await join(hub)
  const publisher = transportTo(hub)
  await Promise.all(
    Array.from({ length: FLOOD }, (_, n) => publisher.publish(createEvent('a', { n, TEN_KB }))),
  )
  await until(() => healthy.frames.length === FLOOD, 'the healthy reader has everything')
  await until(() => hub.stats().connections === 2, 'the frozen one is cut off')
  const { received, relayed, lost, slowReaders } = hub.stats()
  expect(slowReaders).toBe(1)
  expect(lost).toBeGreaterThan(0)
  expect(received).toBe(FLOOD)
  // What came after the cut had one reader less.
  expect(relayed + lost).toBeGreaterThan(FLOOD)
  expect(relayed + lost).toBeLessThanOrEqual(2 * FLOOD)
  frozen.ws.resume()
  await expect(frozen.closed).resolves.toMatchObject({ code: 1006 })
})

test('accounts for every frame of every reader while readers come and go', async () => {
  const hub = await startHub({ highWaterMarkBytes: 16_000, slowReaderMs: 50 })
  const sender = await join(hub)
  let expected = 0
  for (let round = 0; round < 5; round++) {
    const readers = [await join(hub), await joinFrozen(hub), await join(hub)]
    const { received } = hub.stats()
    for (let n = 0; n < 500; n++) sender.send(KB)
    await until(() => hub.stats().received === received + 500, 'the hub has read it')
    expected += 500 * readers.length
    const { relayed, lost } = hub.stats()
    expect(relayed + lost).toBeLessThanOrEqual(expected)
    for (const { ws } of readers) ws.terminate()
    await until(() => hub.stats().connections === 1, 'the readers are gone')
    expect(hub.stats().relayed + hub.stats().lost).toBe(expected)
  }
})

test('goes on taking what a full reader sends, so that one which answers each event is not stuck', async () => {
  const hub = await startHub({ highWaterMarkBytes: 64_000, slowReaderMs: 2_000 })
  // Answers are larger than questions: what may be under way to the hub is used up before what waits for the reader.
  const bulk = 'x'.repeat(60_000)
  const publisher = transportTo(hub)
  const answers = await collect(publisher, 'answer')
  // Reads the next event only when its answer to the last is through, as a handler that awaits its publish does.
  const answering = transportTo(hub, { queue: { capacity: 1 }, highWaterMarkBytes: 64_000 })
  const sink = new Collector()
  sink.hasRoom = false
  let handled = 0
  let isBusy = false
  const work = async (): Promise<void> => {
    if (isBusy) return
    isBusy = true
    for (let event = sink.events.shift(); event !== undefined; event = sink.events.shift()) {
      await answering.publish(createEvent('answer', { to: event.id, bulk }))
      handled++
    }
    isBusy = false
    feed.ready()
  }
  const feed = answering.subscribe(['ask'], {
    deliver: (event) => {
      sink.deliver(event)
      void work()
      return false
    },
  })
  await feed.live
  const COUNT = 1_500
  await Promise.all(
    Array.from({ length: COUNT }, () => publisher.publish(createEvent('ask', bulk.slice(50_000)))),
  )
  await until(() => answers.events.length === COUNT, 'every answer arrives')
  expect(handled).toBe(COUNT)
  expect(hub.stats()).toMatchObject({ slowReaders: 0, lost: 0 })
})

test('does not wait for a connection that has begun to close [F49]', async () => {
  const hub = await startHub({ highWaterMarkBytes: 16_000, slowReaderMs: 60_000, closeMs: 60_000 })
  const leaving = await rawPeer(hub.port)
  // A close frame, and then no end of the connection: the hub waits for it as long as `closeMs` says.
  leaving.write(rawFrame({ opcode: 8, payload: Buffer.from([3, 232]) }))
  await until(() => leaving.closeCode === 1000, 'the hub answers the close')
  const [sender, reader] = await Promise.all([join(hub), join(hub)])
  for (let n = 0; n < 1_000; n++) sender.send(KB)
  await until(() => reader.frames.length === 1_000, 'the reader has everything')
  expect(hub.stats()).toMatchObject({ lost: 1_000, relayed: 1_000, connections: 3 })
  leaving.socket.destroy()
  await until(() => hub.stats().connections === 2, 'the end is seen')
})

test('ends a hub whose readers do not answer as soon as closeMs is over [F135]', async () => {
  const hub = await startHub({ highWaterMarkBytes: 64_000, slowReaderMs: 60_000, closeMs: 150 })
  const frozen = await joinFrozen(hub)
  const sender = await join(hub)
  for (let n = 0; n < 5_000; n++) sender.send(KB)
  await standsStill(() => hub.stats())
  const start = performance.now()
  await hub.close()
  expect(performance.now() - start).toBeGreaterThanOrEqual(140)
  expect(hub.stats().connections).toBe(0)
  frozen.ws.resume()
  await expect(frozen.closed).resolves.toMatchObject({ code: 1006 })
})

test('keeps the memory of a stalled reader within the mark, at every moment of a flood of 10,000 concurrent publishes [F48]', async () => {
  const hub = await startHub({ highWaterMarkBytes: 64_000, slowReaderMs: 60_000 })
  const frozen = await joinFrozen(hub)
  const publisher = transportTo(hub, {
    queue: { capacity: 500, maxBytes: 1_000_000 },
    highWaterMarkBytes: 64_000,
  })
  await publisher.connect()
  const payload = 'x'.repeat(2_000)
  const events = numbered(10_000).map(({ type, id }) => createEvent(type, payload, { id }))
  const outcomes = Promise.all(events.map((event) => publisher.publish(event)))
  let samples = 0
  const sample = (): void => {
    const stats = publisher.backpressureStats()
    const { received, sent, dropped, rejected, size, bytes, waiting } = stats
    expect(received).toBe(sent + dropped + rejected + size)
    expect(received + waiting).toBe(10_000)
    expect(size).toBeLessThanOrEqual(500)
    expect(bytes).toBeLessThanOrEqual(1_000_000)
    samples++
  }
  await standsStill(() => {
    sample()
    return hub.stats()
  })
  expect(publisher.backpressureStats().waiting).toBeGreaterThan(0)
  frozen.ws.resume()
  await until(() => {
    sample()
    return frozen.frames.length === 10_000
  }, 'all arrives')
  await outcomes
  sample()
  expect(samples).toBeGreaterThan(20)
})
