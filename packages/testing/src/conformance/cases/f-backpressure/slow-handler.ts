/** Cases about a handler that is slower than the publishers: what is queued stays bounded. */
import assert from 'node:assert/strict'
import { setImmediate as nextIteration } from 'node:timers/promises'
import type { BackpressureStrategy, Bus } from '@bus/core'
import { arrive, numbers } from '../../case-tools/publishing.ts'
import { type ConformanceCase, INBOUND_BACKPRESSURE } from '../../case.ts'
import { Latch } from '../../case-tools/receiving.ts'
import type { World } from '../../world/world.ts'

const FLOOD = 3_000
/** Of either queue. */
const FLOOD_CAPACITY = 50
/** How many are handled between two looks at the queues. */
const LOOK_EVERY = 50

export const boundedUnderFlood: ConformanceCase = {
  id: 'F1',
  level: 'MUST',
  title: 'a flood for a slow handler keeps every queue within its bound, and all of it is handled',
  needs: INBOUND_BACKPRESSURE,
  limitMs: 60_000,
  async run(world) {
    const count = Math.ceil(FLOOD * world.effort)
    const sender = world.bus({ queue: { capacity: FLOOD_CAPACITY } })
    const receiver = world.bus()
    const payloads: unknown[] = []
    const latch = new Latch()
    const handler = async ({ payload }: { readonly payload: unknown }): Promise<void> => {
      await latch.opened
      await nextIteration()
      payloads.push(payload)
    }
    const { id } = await world.soon(
      receiver.subscribe('order.created', handler, { queue: { capacity: FLOOD_CAPACITY } }),
      'to be subscribed',
    )
    await world.soon(sender.connect(), 'to connect')
    const flooded = flood(sender, count)
    const watch = new Watch(sender, receiver, id)
    // Nothing is handled yet, so the queues fill up.
    await standstill(world, async () => (await watch.look()) + sender.backpressureStats().received)
    latch.open()
    while (payloads.length < count) {
      const next = Math.min(payloads.length + LOOK_EVERY, count)
      const handled = (): number => payloads.length
      await world.untilDone(() => handled() >= next, handled, `${count} events to be handled`)
      await watch.look()
    }
    await world.soon(flooded, 'the flood to be taken')
    assert.ok(watch.outbound <= 1, `the queue to be sent was ${watch.outbound} full`)
    const most = watch.inbound
    assert.ok(most < count / 2, `${most} of ${count} events waited for the handler at once`)
    const got = world.capabilities.ordering === 'none' ? payloads.toSorted(byNumber) : payloads
    assert.deepEqual(got, numbers(count))
  },
}

/** Emits as fast as it may. */
async function flood(sender: Bus, count: number): Promise<void> {
  for (const n of numbers(count)) {
    if (sender.emit('order.created', n)) continue
    await new Promise<void>((resolve) => sender.on('ready', () => resolve(), { once: true }))
  }
}

/** Looks at the queues, and keeps the most that waited at once. */
class Watch {
  /** As a share of the outbound queue. */
  outbound = 0
  /** For the handler. */
  inbound = 0
  readonly #sender: Bus
  readonly #receiver: Bus
  readonly #id: string

  constructor(sender: Bus, receiver: Bus, id: string) {
    this.#sender = sender
    this.#receiver = receiver
    this.#id = id
  }

  /** @returns how many wait for the handler now */
  async look(): Promise<number> {
    const { size, capacity } = this.#sender.backpressureStats()
    this.outbound = Math.max(this.outbound, size / capacity)
    const { subscriptions } = await this.#receiver.health()
    const queued = subscriptions.find(({ id }) => id === this.#id)?.queued ?? 0
    this.inbound = Math.max(this.inbound, queued)
    return queued
  }
}

function byNumber(a: unknown, b: unknown): number {
  return Number(a) - Number(b)
}

const UNHANDLED = 800
/** So that neither sockets nor queues take all of it on the way. */
const FILLING = 'x'.repeat(4_096)
const UNHANDLED_CAPACITY = 20

export const staysWithinCredit: ConformanceCase = {
  id: 'F6',
  level: 'MUST',
  title:
    'a subscriber that handles nothing gets no more than was granted, stays connected, and continues later',
  needs: INBOUND_BACKPRESSURE,
  limitMs: 40_000,
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'order.created', {
      queue: { capacity: UNHANDLED_CAPACITY },
    })
    inbox.subscription.pause()
    const published = Promise.all(
      numbers(UNHANDLED).map((n) => sender.publish('order.created', { n, FILLING })),
    )
    const { id } = inbox.subscription
    const taken = async (): Promise<number> => {
      const { subscriptions } = await receiver.health()
      return subscriptions.find((one) => one.id === id)?.queued ?? 0
    }
    const most = await standstill(world, taken)
    assert.ok(most < UNHANDLED, `all ${most} events came to a subscription that handles nothing`)
    assert.ok(most > 0, 'something came before the credit was used up')
    if (world.capabilities.backpressure.inbound === 'credits') {
      const health = await world.soon(receiver.health({ probe: true }), 'an answer to a probe')
      assert.equal(health.status, 'up', `its link lives: ${health.reasons.join()}`)
    }
    assert.deepEqual(inbox.payloads, [], 'nothing is handled while the subscription is paused')
    inbox.subscription.resume()
    await inbox.count(UNHANDLED)
    const got = inbox.payloads.map((payload) => (payload as { n: number }).n)
    const inOrder = world.capabilities.ordering === 'none' ? got.toSorted((a, b) => a - b) : got
    assert.deepEqual(inOrder, numbers(UNHANDLED))
    await world.soon(published, 'every publish to be settled')
  },
}

const COUNT = 20
const CAPACITY = 5

export const dropsOldest: ConformanceCase = {
  id: 'F2',
  level: 'MUST',
  title:
    'a full subscription that may drop the oldest keeps exactly the newest, and delays no other',
  async run(world) {
    await overflow(world, 'drop-oldest', numbers(CAPACITY, COUNT - CAPACITY))
  },
}

export const dropsNewest: ConformanceCase = {
  id: 'F4',
  level: 'MUST',
  title: 'a full subscription that drops the newest, or refuses, keeps exactly the oldest',
  async run(world) {
    await overflow(world, 'drop-newest', numbers(CAPACITY))
    await overflow(world, 'reject', numbers(CAPACITY))
  },
}

/** Fills a subscription that handles nothing, and lets it go on. */
async function overflow(
  world: World,
  strategy: BackpressureStrategy,
  kept: readonly number[],
): Promise<void> {
  const [sender, receiver] = [world.bus(), world.bus()]
  const reported: unknown[] = []
  receiver.on('undeliverable', ({ event, reason }) => {
    if (reason === 'dropped') reported.push(event?.payload)
  })
  const inbox = await world.collect(receiver, 'order.created', {
    queue: { capacity: CAPACITY, strategy },
  })
  inbox.subscription.pause()
  // One after the other: each succeeds although nothing is handled.
  for (const n of numbers(COUNT)) {
    await world.soon(sender.publish('order.created', n), `publish ${n} with ${strategy}`)
  }
  const stats = (): ReturnType<typeof inbox.subscription.stats>['queue'] =>
    inbox.subscription.stats().queue
  await world.until(() => stats().received >= COUNT, 'everything to arrive', stats)
  assert.deepEqual(inbox.payloads, [], 'nothing is handled while the subscription is paused')
  assert.equal(stats().dropped + stats().rejected, COUNT - CAPACITY, 'the figures are exact')
  assert.equal(stats().size, CAPACITY, 'the queue is full')
  inbox.subscription.resume()
  await arrive(world, inbox, kept)
  const lost = numbers(COUNT).filter((n) => !kept.includes(n))
  assert.deepEqual(reported.toSorted(byNumber), lost, 'each dropped event is reported, once')
  const letters = receiver.deadLetters?.list().map(({ event }) => event?.payload) ?? []
  assert.deepEqual(letters.toSorted(byNumber), lost, 'each dropped event is a dead letter')
}

/** In which nothing moves: one alone may be a stall of the machine. */
const QUIET_PERIODS = 3

/** The figure, once it is above zero and has not changed during several quiet periods. */
async function standstill(world: World, figure: () => Promise<number>): Promise<number> {
  let last = 0
  for (let same = 0; same < QUIET_PERIODS;) {
    const now = await figure()
    same = now === last && now > 0 ? same + 1 : 0
    last = now
    await world.quiet()
  }
  return last
}
