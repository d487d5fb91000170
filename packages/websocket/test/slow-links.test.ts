/** Links that pass only so many bytes in a second: what waits is bounded, and a large event is no sign of death. */
import { createEvent } from '@bus/core'
import { startChaosProxy, type ChaosProxy } from '@bus/testing/chaos'
import { expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { collect, only, record, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

async function proxyTo(port: number): Promise<ChaosProxy & { readonly url: string }> {
  const proxy = await startChaosProxy({ targetPort: port })
  onTestFinished(() => proxy.close())
  return Object.assign(proxy, { url: `ws://127.0.0.1:${proxy.port}` })
}

/** Takes a second and more at this pace. */
const PACE = { bytesPerSecond: 150_000, sliceBytes: 4_000 }
const LARGE = 'x'.repeat(200_000)

test('a large event that takes longer to arrive than any heartbeat may is waited for [F60]', async () => {
  const hub = await startHub()
  const proxy = await proxyTo(hub.port)
  const reader = transportTo(proxy, {
    protocol: busV1(),
    heartbeat: { intervalMs: 250, timeoutMs: 250 },
  })
  const notices = record(reader)
  const all = await collect(reader, 'a')
  proxy.setConditions(PACE, 'downstream')
  const publisher = transportTo(hub, { protocol: busV1() })
  const since = performance.now()
  await publisher.publish(createEvent('a', LARGE))
  await until(() => all.events.length === 1, 'it arrives')
  expect(performance.now() - since).toBeGreaterThan(1_000)
  expect(only(notices, 'close')).toEqual([])
  expect(all.payloads).toEqual([LARGE])
})

test('a hub waits for a large event that takes longer to arrive than its pings may [F60]', async () => {
  const hub = await startHub({ heartbeatMs: 200 })
  const proxy = await proxyTo(hub.port)
  const publisher = transportTo(proxy, { protocol: busV1(), heartbeat: false })
  const notices = record(publisher)
  await publisher.connect()
  proxy.setConditions(PACE, 'upstream')
  const since = performance.now()
  expect(await publisher.publish(createEvent('a', LARGE))).toMatchObject({ attempts: 1 })
  expect(performance.now() - since).toBeGreaterThan(1_000)
  expect(only(notices, 'close')).toEqual([])
  expect(hub.stats().busV1).toMatchObject({ published: 1, duplicates: 0 })
})

test.each([
  ['bus.v1', busV1()],
  ['the plain wire', undefined],
])(
  'behind a slow link no more waits than the queue and the mark allow, on %s [F48]',
  async (_wire, protocol) => {
    const hub = await startHub()
    const proxy = await proxyTo(hub.port)
    const maxBytes = 1_000_000
    const transport = transportTo(proxy, {
      ...(protocol === undefined ? {} : { protocol }),
      queue: { maxBytes, capacity: 10_000 },
      highWaterMarkBytes: 100_000,
    })
    await transport.connect()
    proxy.setConditions({ bytesPerSecond: 5_000_000 }, 'upstream')
    const bulk = 'x'.repeat(50_000)
    const COUNT = 200
    let waited = 0
    const published: Promise<unknown>[] = []
    for (let n = 0; n < COUNT; n++) {
      published.push(transport.publish(createEvent('bulk', bulk)))
      // Forty at a time, which is twice what the queue holds.
      if (n >= 40) await published[n - 40]
      const { bytes, waiting } = transport.backpressureStats()
      // What was handed to the socket stays in the queue until the system, or the hub, has it.
      expect(bytes).toBeLessThanOrEqual(maxBytes)
      waited = Math.max(waited, waiting)
    }
    await Promise.all(published)
    expect(waited).toBeGreaterThan(10)
    expect(transport.backpressureStats()).toMatchObject({ dropped: 0, rejected: 0, sent: COUNT })
  },
)
