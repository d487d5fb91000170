/** Cases about draining: what was accepted is sent and handled, and what is left is reported. */
import assert from 'node:assert/strict'
import type { Subscription, Transport } from '@bus/core'
import { arrive, numbers } from '../case-tools/publishing.ts'
import { both, CONFIRMS, type ConformanceCase, RECONNECTS, REPORTS_GAPS } from '../case.ts'
import { Latch } from '../case-tools/receiving.ts'
import { Campaign } from '../campaign/campaign.ts'
import type { World } from '../world/world.ts'

const COUNT = 300
const HANDLED = 50

export const nothingIsLost: ConformanceCase = {
  id: 'H1',
  level: 'MUST',
  title: 'a drain sends what was accepted and lets handlers finish, loses nothing, and closes',
  async run(world) {
    const [sender, receiver] = [world.bus({ queue: { capacity: 20 } }), world.bus()]
    const inbox = await world.collect(receiver, 'order.created')
    const published = Promise.all(numbers(COUNT).map((n) => sender.publish('order.created', n)))
    const report = await world.soon(sender.drain(), 'the publisher to drain')
    assert.deepEqual(report, { unsent: [], unhandled: 0 })
    await world.soon(published, 'every publish to have succeeded')
    await arrive(world, inbox, numbers(COUNT))
    assert.equal(sender.status.state, 'closed')
    await assert.rejects(sender.publish('order.created', 1), {
      code: 'closed',
      outcome: 'not-sent',
    })
    assert.deepEqual(await sender.drain(), report, 'a second drain says the same')
  },
}

export const publishesFromHandlers: ConformanceCase = {
  id: 'H3',
  level: 'MUST',
  title: 'while it drains handlers finish and may still publish, and other callers may not',
  async run(world) {
    const [sender, between, receiver] = [world.bus(), world.bus(), world.bus()]
    const results = await world.collect(receiver, 'order.paid')
    const latch = new Latch()
    let handled = 0
    const subscription = await world.soon(
      between.subscribe('order.created', async ({ payload }) => {
        await latch.opened
        await between.publish('order.paid', payload)
        handled++
      }),
      'to be subscribed',
    )
    for (const n of numbers(HANDLED)) {
      await world.soon(sender.publish('order.created', n), 'a publish')
    }
    await received(world, subscription, HANDLED)
    const draining = between.drain()
    await assert.rejects(between.publish('order.paid', -1), {
      code: 'draining',
      outcome: 'not-sent',
    })
    await assert.rejects(
      between.subscribe('order.paid', () => {}),
      { code: 'draining' },
    )
    latch.open()
    assert.deepEqual(await world.soon(draining, 'the drain'), { unsent: [], unhandled: 0 })
    assert.equal(handled, HANDLED, 'every handler has finished')
    await arrive(world, results, numbers(HANDLED))
  },
}

const LEFT = 5
/** Milliseconds: over before the link is back or the handler has ended. */
const SHORT_MS = 60

export const abandonedIsReported: ConformanceCase = {
  id: 'H2',
  level: 'MUST',
  title: 'a drain that runs out of time aborts its handlers and reports what it left',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const signals: AbortSignal[] = []
    const subscription = await world.soon(
      receiver.subscribe('order.created', (_event, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      }),
      'to be subscribed',
    )
    for (const n of numbers(LEFT)) {
      await world.soon(sender.publish('order.created', n), 'a publish')
    }
    await received(world, subscription, LEFT)
    const letters = receiver.deadLetters
    const report = await world.soon(receiver.drain({ timeoutMs: SHORT_MS }), 'the drain to end')
    // That which a handler has begun is the handler's own: it may still end, one way or the other.
    const waiting = LEFT - signals.length
    assert.deepEqual(report, { unsent: [], unhandled: LEFT, deadLetters: waiting })
    assert.ok(signals.length > 0, 'a handler was running')
    assert.ok(
      signals.every(({ aborted }) => aborted),
      'the signal of every running handler is aborted',
    )
    assert.equal(receiver.status.state, 'closed')
    const reasons = letters?.list().map(({ reason }) => reason) ?? []
    assert.deepEqual(reasons, Array(waiting).fill('closed'), 'what waited is a dead letter')
  },
}

export const drainsWithoutLink: ConformanceCase<'refuse'> = {
  id: 'H4',
  level: 'MUST',
  title:
    'a drain without a connection waits for one as long as it may, then reports what was not sent',
  needs: RECONNECTS,
  faults: ['refuse'],
  async run(world) {
    const transports = [world.transport(), world.transport()] as const
    const [patient, hasty] = transports.map((transport) => world.bus({ transport }))
    assert.ok(patient && hasty)
    const receiver = world.bus()
    const inbox = await world.collect(receiver, 'order.created')
    await world.all([patient.connect(), hasty.connect()], 'to connect')
    const heal = await world.faults.refuse()
    await world.until(
      () => transports.every(({ status }) => status.state === 'backoff'),
      'both to lose their links',
    )
    const ids = numbers(LEFT).map((n) => `left-${n}`)
    const left = ids.map((id) =>
      assert.rejects(hasty.publish('order.created', id, { metadata: { id } }), {
        outcome: 'not-sent',
      }),
    )
    const report = await world.soon(hasty.drain({ timeoutMs: SHORT_MS }), 'the drain to end')
    assert.deepEqual([...report.unsent].toSorted(), ids, 'each event that was left is named')
    await world.all(left, 'their publishes to be rejected')
    const kept = numbers(LEFT).map((n) => patient.publish('order.created', n))
    const draining = patient.drain()
    await heal()
    assert.deepEqual(await world.soon(draining, 'the patient drain'), { unsent: [], unhandled: 0 })
    await world.all(kept, 'its publishes to succeed')
    if (world.capabilities.resume) await arrive(world, inbox, numbers(LEFT))
  },
}

const CLIENTS = 10
const SPREAD_MS = 400
const BURST = 50

export const movesWithoutLoss: ConformanceCase<'sendAway'> = {
  id: 'H5',
  level: 'SHOULD',
  title:
    'disconnected clients come back within the time given, not all at once, and lose nothing silently',
  needs: both(CONFIRMS, REPORTS_GAPS),
  faults: ['sendAway'],
  async run(world) {
    const campaign = new Campaign(world)
    await campaign.begin()
    const { back, delays } = await comeAndGo(world)
    for (let n = 0; n < BURST; n++) campaign.publish(n % campaign.publishers.length)
    const gone = world.faults.sendAway(SPREAD_MS)
    for (let n = 0; n < BURST; n++) campaign.publish(n % campaign.publishers.length)
    await gone
    await world.until(
      () => back.size === CLIENTS,
      'every client to reconnect',
      () => back.size,
    )
    // What each chose to wait, and not when it was back: a busy machine spreads clients that all chose the same.
    const between = Math.max(...delays) - Math.min(...delays)
    assert.ok(between > SPREAD_MS / 8, `all chose to wait within ${Math.round(between)} ms`)
    await campaign.end()
  },
}

/** Clients that only come and go: which are back, and the milliseconds that each of them waited first. */
async function comeAndGo(
  world: World,
): Promise<{ readonly back: ReadonlySet<Transport>; readonly delays: readonly number[] }> {
  const clients = numbers(CLIENTS).map(() => world.transport())
  await world.soon(Promise.all(clients.map((client) => client.connect())), 'all to connect')
  const back = new Set<Transport>()
  const waiting = new Set<Transport>()
  const delays: number[] = []
  for (const client of clients) {
    client.on('open', () => back.add(client), { once: true })
    client.on('status', ({ status }) => {
      if (status.state !== 'backoff' || waiting.has(client)) return
      waiting.add(client)
      delays.push(status.delayMs)
    })
  }
  return { back, delays }
}

/** Waits until the subscription has so many events, those that are being handled included. */
function received(world: World, subscription: Subscription, count: number): Promise<void> {
  const held = (): number => {
    const { active, queue } = subscription.stats()
    return active + queue.size
  }
  return world.until(() => held() === count, `${count} events to be received`, held)
}
