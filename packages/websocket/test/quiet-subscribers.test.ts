import { createBus, type Bus, type Gap } from '@bus/core'
import { startChaosProxy, type ChaosProxy } from '@bus/testing/chaos'
import { expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub, pubs, type WireClient } from './wire-client.ts'
import type { Hub } from '../src/hub/index.ts'

async function throughProxy(hub: Hub): Promise<{ proxy: ChaosProxy; bus: Bus; gaps: Gap[] }> {
  const proxy = await startChaosProxy({ targetPort: hub.port, seed: 1 })
  onTestFinished(() => proxy.close())
  const url = `ws://127.0.0.1:${proxy.port}`
  const bus = createBus({ transport: transportTo({ url }, { protocol: busV1(), breaker: false }) })
  onTestFinished(() => bus.close())
  const gaps: Gap[] = []
  bus.on('gap', (gap) => void gaps.push(gap))
  return { proxy, bus, gaps }
}

/** Publishes events of others, in steps that a window takes, and waits until they are in the log. */
async function fill(publisher: WireClient, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 5_000) {
    publisher.say(...pubs(n, Math.min(n + 4_999, to), 'other.type'))
    await publisher.line(`ok ${Math.min(n + 4_999, to)}`)
  }
}

test('a subscriber whose type is quiet gets no false gap, however many events of others have left the log, while its link is up or down [F86]', async () => {
  const hub = await startHub({ log: { maxEvents: 1_000 } })
  const { proxy, bus, gaps } = await throughProxy(hub)
  const seen: unknown[] = []
  await bus.subscribe('quiet.*', ({ payload }) => void seen.push(payload))
  const publisher = await greet(hub)
  publisher.say(pub(1, 'before', 'quiet.one'))
  await until(() => seen.length === 1, 'the first')
  await fill(publisher, 2, 10_000)
  proxy.reset()
  await until(() => hub.stats().busV1.resumed === 1, 'it is back')
  await proxy.down()
  await until(() => hub.stats().connections === 1, 'it is away')
  await fill(publisher, 10_001, 20_000)
  await proxy.up()
  await until(() => hub.stats().busV1.resumed === 2, 'it is back')
  publisher.say(pub(20_001, 'after', 'quiet.two'))
  await until(() => seen.length === 2, 'the second')
  expect(seen).toEqual(['before', 'after'])
  expect(gaps).toEqual([])
  expect(hub.stats().busV1).toMatchObject({ gaps: 0, log: { events: 1_000 } })
})

test('a subscriber whose link breaks before its first event misses nothing of what comes meanwhile [F87]', async () => {
  const hub = await startHub()
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 5))
  await publisher.line('ok 5')
  const { proxy, bus, gaps } = await throughProxy(hub)
  const seen: unknown[] = []
  await bus.subscribe('order.*', ({ payload }) => void seen.push(payload))
  await proxy.down()
  await until(() => hub.stats().connections === 1, 'it is away')
  publisher.say(...pubs(6, 10))
  await publisher.line('ok 10')
  await proxy.up()
  await until(() => seen.length >= 5, 'what it missed')
  // Nothing of before, which was not subscribed to.
  expect(seen).toEqual([6, 7, 8, 9, 10])
  expect(gaps).toEqual([])
})

test('so does one whose session the hub has forgotten meanwhile, as long as the log is the same [F87]', async () => {
  const hub = await startHub({ sessionTtlMs: 20 })
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 5))
  await publisher.line('ok 5')
  const { proxy, bus, gaps } = await throughProxy(hub)
  const seen: unknown[] = []
  await bus.subscribe('order.*', ({ payload }) => void seen.push(payload))
  await proxy.down()
  await until(() => hub.stats().busV1.subscriptions === 0, 'the session has ended')
  publisher.say(...pubs(6, 10))
  await publisher.line('ok 10')
  await proxy.up()
  await until(() => seen.length >= 5, 'what it missed')
  expect(seen).toEqual([6, 7, 8, 9, 10])
  expect(gaps).toEqual([])
})

test('a subscriber that was away for longer than the log reaches back gets one gap, from what it had to what it gets next [F85]', async () => {
  const hub = await startHub({ log: { maxEvents: 10 }, holdMs: 20 })
  const { proxy, bus, gaps } = await throughProxy(hub)
  const seen: unknown[] = []
  await bus.subscribe('order.*', ({ payload }) => void seen.push(payload))
  const publisher = await greet(hub)
  publisher.say(...pubs(1, 5))
  await until(() => seen.length === 5, 'the first ones')
  await proxy.down()
  await until(() => hub.stats().connections === 1, 'it is away')
  publisher.say(...pubs(6, 100))
  await publisher.line('ok 100')
  await proxy.up()
  await until(() => seen.length === 15, 'what the log still has')
  expect(seen).toEqual([1, 2, 3, 4, 5, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100])
  expect(gaps).toMatchObject([{ to: 90, reason: 'overrun' }])
  expect(gaps[0]?.from).toBeLessThanOrEqual(6)
})
