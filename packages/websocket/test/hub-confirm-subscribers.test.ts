/** `confirm: 'subscribers'` goes on whatever a subscriber does: leave, stand still, or wait for its own publish. */
import { once } from 'node:events'
import { createBus, type Bus } from '@bus/core'
import { startChaosProxy } from '@bus/testing/chaos'
import { expect, onTestFinished, test } from 'vitest'
import { webSocketTransport } from '../src/index.ts'
import { until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, pub, sub } from './wire-client.ts'

const SETTINGS = { confirm: 'subscribers', graceMs: 0, holdMs: 60_000 } as const

function busTo(hub: { readonly url: string }): Bus {
  const bus = createBus({ transport: webSocketTransport({ url: hub.url }), onError: () => {} })
  onTestFinished(() => bus.close())
  return bus
}

test('a client that closes with 1000 is waited for no longer, whatever it was subscribed to [F96]', async () => {
  const hub = await startHub(SETTINGS)
  const leaver = await greet(hub, { subs: [sub(1, 'a'), sub(2, 'b.*')] })
  leaver.say('sub 3 c.> alo', 'sub 4 a alo')
  await leaver.line('subok 4 0')
  const publisher = await greet(hub)
  publisher.say(pub(1, 1, 'a'))
  await leaver.events(1)
  leaver.ws.close(1000)
  await publisher.line('ok 1')
  publisher.say(pub(2, 1, 'a'), pub(3, 1, 'b.x'), pub(4, 1, 'c.x.y'))
  await publisher.line('ok 4')
  expect(hub.stats().busV1).toMatchObject({ sessions: 1, subscriptions: 0, givenUp: 0 })
})

test('a client that says bye is waited for no longer', async () => {
  const hub = await startHub(SETTINGS)
  const leaver = await greet(hub, { subs: [sub(1, 'a')] })
  leaver.say('bye {"code":1000}')
  await leaver.closed
  const publisher = await greet(hub)
  publisher.say(pub(1, 1, 'a'))
  await publisher.line('ok 1')
  expect(hub.stats().busV1.subscriptions).toBe(0)
})

test.each(['terminate', 'close with 1001'])(
  'a client whose link ends by %s is waited for',
  async (how) => {
    const hub = await startHub(SETTINGS)
    const reader = await greet(hub, { subs: [sub(1, 'a')] })
    const { sid, epoch } = reader.welcome
    if (how === 'terminate') reader.ws.terminate()
    else reader.ws.close(1001)
    await until(() => hub.stats().connections === 0, 'the hub sees it')
    const publisher = await greet(hub)
    publisher.say(pub(1, 1, 'a'))
    await publisher.settled()
    expect(publisher.heard('ok')).toEqual([])
    const again = await greet(hub, { sid, epoch, offset: 0, subs: [sub(1, 'a')] })
    await again.events(1)
    again.say('ack 1')
    await publisher.line('ok 1')
  },
)

test('a bus that closes is waited for no longer, and one that reconnects is', async () => {
  const hub = await startHub(SETTINGS)
  const publisher = busTo(hub)
  const transport = webSocketTransport({ url: hub.url })
  const leaver = createBus({ transport })
  const got: unknown[] = []
  await leaver.subscribe('a', ({ payload }) => void got.push(payload))
  await leaver.subscribe('b', () => {})
  await publisher.connect()
  await transport.reconnect()
  await expect(publisher.publish('a', 1)).resolves.toMatchObject({ status: 'confirmed' })
  expect(got).toEqual([1])
  expect(hub.stats().busV1).toMatchObject({ resumed: 1, subscriptions: 2 })
  await leaver.close()
  await expect(publisher.publish('a', 2)).resolves.toMatchObject({ status: 'confirmed' })
  await expect(publisher.publish('b', 2)).resolves.toMatchObject({ status: 'confirmed' })
  expect(hub.stats().busV1.subscriptions).toBe(0)
})

test('a bus that closes while it is welcomed leaves no subscription behind', async () => {
  const hub = await startHub(SETTINGS)
  const proxy = await startChaosProxy({ targetPort: hub.port })
  onTestFinished(() => proxy.close())
  // Its hello gets through, and the welcome takes its time.
  proxy.setConditions({ delayMs: 300 }, 'downstream')
  const leaver = busTo({ url: `ws://127.0.0.1:${proxy.port}` })
  leaver.subscribe('a', () => {}).catch(() => {})
  await until(() => hub.stats().busV1.subscriptions === 1, 'the hello')
  expect(leaver.status.state).toBe('bootstrapping')
  await leaver.close()
  await until(() => hub.stats().connections === 0, 'the hub sees the end')
  expect(hub.stats().busV1.subscriptions).toBe(0)
})

test('a subscriber that stands still is given up after holdMs, although the log has room, and waited for again once it moves [F96]', async () => {
  const hub = await startHub({ ...SETTINGS, holdMs: 200 })
  const [frozen, healthy] = [busTo(hub), busTo(hub)]
  let finish = (): void => {}
  const handled: unknown[] = []
  await frozen.subscribe('a', async ({ payload }) => {
    await new Promise<void>((resolve) => (finish = resolve))
    handled.push(payload)
  })
  await healthy.subscribe('a', () => {})
  const publisher = busTo(hub)
  const receipts = await Promise.all(
    Array.from({ length: 100 }, (_, n) => publisher.publish('a', n)),
  )
  expect(receipts.every(({ status }) => status === 'confirmed')).toBe(true)
  expect(hub.stats().busV1.givenUp).toBe(1)
  // Nothing is lost for it as long as the log keeps it.
  const finishing = setInterval(() => finish(), 1)
  onTestFinished(() => clearInterval(finishing))
  await until(() => handled.length === 100, 'it handles all of them')
  expect(handled).toEqual(Array.from({ length: 100 }, (_, n) => n))
})

test('a handler that waits for the publish of an event that it subscribes to itself is released after holdMs [F97]', async () => {
  const hub = await startHub({ ...SETTINGS, holdMs: 200 })
  const bus = busTo(hub)
  const gaps: unknown[] = []
  bus.on('gap', (gap) => gaps.push(gap))
  const handled: string[] = []
  await bus.subscribe('order.>', async ({ type, id }) => {
    if (type === 'order.created') await bus.publish('order.paid', { of: id })
    handled.push(type)
  })
  await expect(bus.publish('order.created', {})).resolves.toMatchObject({ status: 'confirmed' })
  await until(() => handled.length === 2, 'both handlers')
  expect(handled).toEqual(['order.created', 'order.paid'])
  expect(gaps).toEqual([])
})

test('one that unsubscribes, and one that is revoked, are waited for no longer', async () => {
  const hub = await startHub({
    ...SETTINGS,
    authenticate: ({ token }) => (token === undefined ? null : { id: token }),
  })
  const reader = await greet(hub, { token: 'reader', subs: [sub(1, 'a'), sub(2, 'b')] })
  const publisher = await greet(hub, { token: 'publisher' })
  publisher.say(pub(1, 1, 'a'), pub(2, 1, 'b'))
  await reader.events(2)
  expect(publisher.heard('ok')).toEqual([])
  reader.say('unsub 1')
  await publisher.line('ok 1')
  hub.revoke('reader')
  await publisher.line('ok 2')
})

test('a hub that drains sends connected subscribers what it has accepted, and publishers keep the rest [F134]', async () => {
  const hub = await startHub()
  const [reader, publisher] = [busTo(hub), busTo(hub)]
  const got: unknown[] = []
  await reader.subscribe('n', ({ payload }) => void got.push(payload))
  await publisher.connect()
  const outcomes = Array.from({ length: 5_000 }, (_, n) => publisher.publish('n', n))
  let confirmed = 0
  let rejected = 0
  for (const outcome of outcomes)
    outcome.then(
      () => confirmed++,
      () => rejected++,
    )
  while (hub.stats().busV1.published === 0) await new Promise((resolve) => setImmediate(resolve))
  await hub.drain()
  await until(
    () => reader.status.state !== 'ready' && got.length >= confirmed,
    'all that is confirmed',
  )
  expect(confirmed).toBeGreaterThan(0)
  expect(rejected).toBe(0)
  expect(got).toEqual(Array.from({ length: got.length }, (_, n) => n))
})

test('a hub that drains does not wait for a subscriber that reads nothing beyond the time it has [F134]', async () => {
  const hub = await startHub({ limits: { window: { events: 1 } } })
  const reader = await greet(hub, { subs: [sub(1, 'a')] })
  const publisher = await greet(hub)
  publisher.say(pub(1, 1, 'a'), pub(2, 2, 'a'))
  await publisher.line('ok 2')
  await reader.events(1)
  const drained = hub.drain({ timeoutMs: 50 })
  // The one that does not acknowledge is sent no more than its window.
  await Promise.all([drained, once(reader.ws, 'close')])
  expect(reader.payloads).toEqual([1])
})
