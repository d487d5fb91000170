/** Cases about reconnecting: when and how often it is tried, what is restored, and what ends it. */
import assert from 'node:assert/strict'
import { setImmediate as nextIteration } from 'node:timers/promises'
import { BusError, type Transport, type TransportStatus } from '@bus/core'
import { arrive, numbers } from '../../case-tools/publishing.ts'
import { type ConformanceCase, RECONNECTS } from '../../case.ts'
import { eagerTransport, relinked } from '../../case-tools/connections.ts'
import type { World } from '../../world/world.ts'
import { collectGarbage } from '../../case-tools/leaks.ts'

const ROUNDS = 4

export const subscriptionsLiveOn: ConformanceCase<'cut'> = {
  id: 'G1',
  level: 'MUST',
  title: 'a broken connection is made again by itself, with every subscription, each once',
  needs: RECONNECTS,
  faults: ['cut'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const one = await world.collect(receiver, 'order.created')
    const other = await world.collect(receiver, ['order.>', 'stock.low'])
    for (const n of numbers(ROUNDS)) {
      await relinked(world, transport, () => world.faults.cut(transport))
      await world.soon(sender.publish('order.created', n), 'a publish')
      await world.until(
        () => one.events.length > n && other.events.length > n,
        `both subscriptions to get an event after break ${n + 1}`,
        () => [one.payloads, other.payloads],
      )
    }
    await arrive(world, one, numbers(ROUNDS))
    await arrive(world, other, numbers(ROUNDS))
  },
}

const CLIENTS = 20
const ATTEMPTS = 10
/** Of two delays of the whole crowd, at most so many in a hundred are the same. */
const MOST_SAME = 0.05
/** RFC 6455: going away, and a policy that is not met. */
const GOING_AWAY = 1001
const POLICY = 1008

export const triesAgainWisely: ConformanceCase<'refuse' | 'cut' | 'close'> = {
  id: 'G7',
  level: 'MUST',
  title:
    'attempts are spread and counted until a connection is stable, and end with a code that is final',
  needs: RECONNECTS,
  faults: ['refuse', 'cut', 'close'],
  async run(world) {
    await spread(world)
    await counted(world)
    await final(world)
  },
}

/** Clients that were turned away together do not come back together. */
async function spread(world: World<'refuse'>): Promise<void> {
  const heal = await world.faults.refuse()
  const delays: number[] = []
  const clients = numbers(CLIENTS).map(() => attempts(world, delays))
  await world.until(
    () => delays.length >= CLIENTS * ATTEMPTS,
    `${CLIENTS} clients to try ${ATTEMPTS} times each`,
    () => delays.length,
  )
  await Promise.all(clients.map((client) => client.close()))
  await heal()
  const same = 1 - new Set(delays).size / delays.length
  assert.ok(same <= MOST_SAME, `${Math.round(same * 100)} % of the delays are the same`)
}

/** A client for which no wait takes time; its delays are noted. */
function attempts(world: World, delays: number[]): Transport {
  const { transport, skipDelays } = eagerTransport(world)
  // A transport of several connections reports an attempt again when another one has begun.
  const waits = new Set<TransportStatus>()
  const stop = transport.on('status', ({ status }) => {
    if (status.state !== 'backoff' || waits.has(status)) return
    waits.add(status)
    delays.push(status.delayMs)
    if (waits.size < ATTEMPTS) return
    stop()
    void transport.close()
  })
  skipDelays()
  transport.connect({ retry: true }).catch(() => {})
  return transport
}

/** A link that is lost as soon as it is there counts as a failure like any other. */
async function counted(world: World<'cut'>): Promise<void> {
  const transport = world.transport()
  await world.soon(transport.connect(), 'to connect')
  const counts: number[] = []
  transport.on('status', ({ status }) => {
    if (status.state === 'backoff') counts.push(status.attempt)
  })
  for (let n = 0; n < 4; n++) await relinked(world, transport, () => world.faults.cut(transport))
  assert.ok((counts.at(-1) ?? 0) > (counts[0] ?? 0), `the attempts counted ${counts.join()}`)
  await transport.close()
}

async function final(world: World<'close'>): Promise<void> {
  const transport = world.transport()
  await world.soon(transport.connect(), 'to connect')
  await relinked(world, transport, () => world.faults.close(transport, GOING_AWAY))
  await world.faults.close(transport, POLICY)
  await world.until(
    () => transport.status.state === 'closed',
    `the end, after code ${POLICY}`,
    () => transport.status,
  )
  await world.quiet()
  assert.equal(transport.status.state, 'closed', 'what has ended does not begin again')
  await assert.rejects(transport.connect(), BusError)
}

/** Milliseconds of the transport's clock after which a link on which nothing passes is given up. */
const MOST_MS = 120_000
const STEP_MS = 500

export const deadPeerIsFound: ConformanceCase<'freeze'> = {
  id: 'G6',
  level: 'MUST',
  title:
    'a connection on which nothing arrives is dropped within two minutes, and another one made',
  needs: RECONNECTS,
  faults: ['freeze'],
  async run(world) {
    const { transport, clock, skipDelays } = eagerTransport(world)
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const inbox = await world.collect(receiver, 'order.created')
    const heal = await world.faults.freeze(transport)
    const frozenAt = clock.now()
    const ends: number[] = []
    transport.on('close', ({ code }) => ends.push(code))
    while (ends.length === 0 && clock.now() - frozenAt < MOST_MS) {
      await clock.advanceAsync(STEP_MS)
      await nextIteration()
    }
    assert.ok(ends.length > 0, `after ${MOST_MS} ms a dead link is still taken for sound`)
    skipDelays()
    await world.until(
      () => transport.status.state === 'ready',
      'another link',
      () => transport.status,
    )
    await heal()
    await world.soon(sender.publish('order.created', 1), 'a publish')
    await arrive(world, inbox, [1])
  },
}

export const endsAtOnce: ConformanceCase<'refuse'> = {
  id: 'G9',
  level: 'MUST',
  title: 'unsubscribing, aborting and closing do not wait for a connection',
  needs: RECONNECTS,
  faults: ['refuse'],
  async run(world) {
    const transport = world.transport()
    const bus = world.bus({ transport })
    const inbox = await world.collect(bus, 'order.created')
    const heal = await world.faults.refuse()
    await world.until(() => transport.status.state === 'backoff', 'to wait for another attempt')
    await world.soon(inbox.subscription.unsubscribe(), 'to be unsubscribed')
    const controller = new AbortController()
    const { signal } = controller
    const waiting = [
      bus.publish('order.created', 1, { signal }),
      bus.subscribe('order.paid', () => {}, { signal }),
      transport.connect({ retry: true, signal }),
    ].map((promise) => assert.rejects(promise, { code: 'aborted', cause: 'enough' }))
    controller.abort('enough')
    await world.all(waiting, 'every wait to end')
    await world.soon(bus.close(), 'to close')
    assert.equal(transport.status.state, 'closed')
    await heal()
    await world.quiet()
    assert.equal(transport.status.state, 'closed', 'what is closed connects no more')
  },
}

const DIALS = 600
/** Bytes that may be left of one failed dial, on average. What one forgotten socket or listener takes is more. */
const MOST_BYTES = 3_000

export const dialsLeaveNothing: ConformanceCase<'refuse'> = {
  id: 'G8',
  level: 'MUST',
  title: 'hundreds of failed dials leave nothing behind, and the next one may succeed',
  needs: RECONNECTS,
  faults: ['refuse'],
  limitMs: 120_000,
  async run(world) {
    const { transport, skipDelays } = eagerTransport(world)
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const inbox = await world.collect(receiver, 'order.created')
    const heal = await world.faults.refuse()
    let failed = 0
    transport.on('status', ({ status }) => {
      if (status.state === 'backoff') failed++
    })
    skipDelays()
    const failedTimes = (count: number): Promise<void> =>
      world.untilDone(
        () => failed >= count,
        () => failed,
        `${count} dials to fail`,
      )
    const dials = Math.ceil(DIALS * world.effort)
    await failedTimes(Math.ceil(dials / 3))
    collectGarbage()
    const before = { ...process.memoryUsage(), failed }
    await failedTimes(dials)
    collectGarbage()
    const { heapUsed } = process.memoryUsage()
    const perDial = Math.round((heapUsed - before.heapUsed) / (failed - before.failed))
    assert.ok(perDial < MOST_BYTES, `${perDial} bytes are left of each dial`)
    await heal()
    await world.until(
      () => transport.status.state === 'ready',
      'a link',
      () => transport.status,
    )
    await world.soon(sender.publish('order.created', 1), 'a publish')
    await arrive(world, inbox, [1])
  },
}
