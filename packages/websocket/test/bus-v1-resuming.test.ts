import { createBus, type Bus, type Gap } from '@bus/core'
import { seededRandom, startChaosProxy, type ChaosProxy } from '@bus/testing/chaos'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1, webSocketTransport } from '../src/index.ts'
import { createHub, type Hub, type HubOptions } from '../src/hub/index.ts'
import { until } from './harness.ts'
import { startHub } from './hub-clients.ts'

/** A proxy in front of the hub, that ends with the test. */
async function proxyTo(hub: Hub, seed: number): Promise<ChaosProxy> {
  const proxy = await startChaosProxy({ targetPort: hub.port, seed })
  onTestFinished(() => proxy.close())
  return proxy
}

/** A bus that is quick to come back. */
function busTo(port: number, source?: string): Bus {
  const transport = webSocketTransport({
    url: `ws://127.0.0.1:${port}`,
    protocol: busV1(),
    breaker: false,
    reconnect: { backoff: () => 1 },
  })
  const bus = createBus({ transport, ...(source === undefined ? {} : { source }) })
  onTestFinished(() => bus.close())
  return bus
}

/** Publishes numbers, so many at a time, and calls `during` before each. */
async function publishAll(
  bus: Bus,
  count: number,
  inFlight: number,
  during: (n: number) => void = () => {},
): Promise<void> {
  const all: Promise<unknown>[] = []
  for (let n = 0; n < count; n++) {
    during(n)
    all.push(bus.publish('order.created', n))
    if (n >= inFlight) await all[n - inFlight]
  }
  await Promise.all(all)
}

/** Links that a proxy tore. */
function torn(proxy: ChaosProxy): number {
  const { reset, cut } = proxy.stats().broken
  return reset + cut
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('with links that are cut at any moment', () => {
  test.each([1, 2])(
    'loses nothing, handles nothing twice and keeps the order (seed %i)',
    async (seed) => {
      const random = seededRandom(seed)
      const hub = await startHub()
      const [up, down] = await Promise.all([proxyTo(hub, seed), proxyTo(hub, seed + 100)])
      const publisher = busTo(up.port, 'shop')
      const subscriber = busTo(down.port)
      const gaps: Gap[] = []
      subscriber.on('gap', (gap) => void gaps.push(gap))
      const sync: unknown[] = []
      const slow: unknown[] = []
      await subscriber.subscribe('order.*', ({ payload }) => void sync.push(payload))
      await subscriber.subscribe('>', async ({ payload }) => {
        await Promise.resolve()
        slow.push(payload)
      })
      await publisher.connect()
      const count = 5_000
      const cuts = (): number => torn(up) + torn(down)
      await publishAll(publisher, count, 64, (n) => {
        // About one cut in fifty events: a hundred in all.
        if (cuts() * 48 > n) return
        const proxy = random() < 0.5 ? up : down
        if (random() < 0.5) proxy.reset()
        else proxy.cutAfter(Math.floor(random() * 4_000))
      })
      await until(() => sync.length >= count && slow.length >= count, 'all events')
      expect(sync).toEqual(numbers(count))
      expect(slow).toEqual(numbers(count))
      expect(gaps).toEqual([])
      expect(cuts()).toBeGreaterThanOrEqual(100)
    },
  )
})

describe('with a hub that starts anew', () => {
  /** A hub on one port that can be stopped and started again. */
  async function restartable(
    options: HubOptions,
  ): Promise<{ port: number; restart(): Promise<void> }> {
    const start = (port: number): Promise<Hub> =>
      createHub({ allowAnonymous: true, closeMs: 50, port, ...options })
    let hub = await start(0)
    const { port } = hub
    onTestFinished(() => hub.close())
    return {
      port,
      restart: async () => {
        await hub.close()
        hub = await start(port)
      },
    }
  }

  test('names what was lost as one gap, and handles what is resent once [F84]', async () => {
    const hub = await restartable({})
    const publisher = busTo(hub.port, 'shop')
    const subscriber = busTo(hub.port)
    const told: (number | string)[] = []
    subscriber.on('gap', ({ reason }) => void told.push(reason))
    await subscriber.subscribe('order.*', ({ payload }) => void told.push(payload as number))
    await publishAll(publisher, 100, 16)
    await until(() => told.length === 100, 'the first hundred')
    await hub.restart()
    const live = new Promise<void>((resolve) => {
      subscriber.on('open', () => resolve(), { once: true })
    })
    await live
    for (let n = 100; n < 200; n++) await publisher.publish('order.created', n)
    await until(() => told.includes(199), 'the last')
    expect(told).toEqual([...numbers(100), 'epoch', ...numbers(200).slice(100)])
  })

  test('that confirms with its subscribers loses nothing, and each is handled once [F84]', async () => {
    const hub = await restartable({ confirm: 'subscribers', graceMs: 300 })
    const publisher = busTo(hub.port, 'shop')
    const subscriber = busTo(hub.port)
    const seen: unknown[] = []
    await subscriber.subscribe('order.*', ({ payload }) => void seen.push(payload))
    const restarts: Promise<void>[] = []
    await publishAll(publisher, 3_000, 64, (n) => {
      if (n === 1_000 || n === 2_000) restarts.push(hub.restart())
    })
    await Promise.all(restarts)
    await until(() => seen.length >= 3_000, 'all events')
    expect(seen).toEqual(numbers(3_000))
  })
})

test('says in its figures what it has sent, sent again and received, each event once', async () => {
  const hub = await startHub()
  const proxy = await proxyTo(hub, 3)
  const transport = webSocketTransport({
    url: `ws://127.0.0.1:${proxy.port}`,
    reconnect: { backoff: () => 1 },
  })
  const bus = createBus({ transport })
  onTestFinished(() => bus.close())
  await bus.subscribe('order.*', () => {})
  await publishAll(bus, 100, 10)
  proxy.reset()
  await publishAll(bus, 20, 20)
  await until(() => transport.stats().received === 120, 'all received')
  const { resent, ...others } = transport.stats()
  expect(others).toEqual({ sent: 120, received: 120, reconnects: 1 })
  // Those that were written before the loss was noticed.
  expect(resent).toBeLessThanOrEqual(20)
  expect(bus.backpressureStats()).toMatchObject({ received: 120, sent: 120, size: 0 })
})

test('a hello that a network holds back does not take the session from the link that was made instead', async () => {
  const hub = await startHub()
  const proxy = await startChaosProxy({
    targetPort: hub.port,
    onBytes: (link, _bytes, direction) => {
      // The second link gets its upgrade, and its hello passes when the client has long given it up.
      if (link.index === 1 && direction === 'downstream') link.hole(600, 'upstream')
    },
  })
  onTestFinished(() => proxy.close())
  const transport = webSocketTransport({
    url: `ws://127.0.0.1:${proxy.port}`,
    protocol: busV1(),
    breaker: false,
    reconnect: { backoff: () => 1 },
    timeouts: { bootstrapMs: 200 },
  })
  const bus = createBus({ transport })
  onTestFinished(() => bus.close())
  const got: unknown[] = []
  await bus.subscribe('order.*', ({ payload }) => void got.push(payload))
  proxy.reset()
  await until(() => hub.stats().busV1.fenced === 1, 'the late hello has come')
  await busTo(hub.port).publish('order.created', 1)
  await until(() => got.length === 1, 'the event arrives')
  expect(bus.status.state).toBe('ready')
})
