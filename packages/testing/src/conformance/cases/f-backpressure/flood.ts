/** A flood for a slow handler. */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { Bus } from '@bus/core'
import { numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { HOLDS_READING } from '../../claims.ts'
import { Gate } from '../../case-tools/gate.ts'
import { standstill } from './standstill.ts'

const COUNT = 3_000
/** Of either queue. */
const CAPACITY = 50
/** How many are handled between two looks at the queues. */
const LOOK_EVERY = 50

export const boundedUnderFlood: ConformanceCase = {
  id: 'F1',
  level: 'MUST',
  title: 'a flood for a slow handler keeps every queue within its bound, and all of it is handled',
  needs: HOLDS_READING,
  limitMs: 60_000,
  async run(world) {
    const count = Math.ceil(COUNT * world.effort)
    const sender = world.bus({ queue: { capacity: CAPACITY } })
    const receiver = world.bus()
    const payloads: unknown[] = []
    const gate = new Gate()
    const handler = async ({ payload }: { readonly payload: unknown }): Promise<void> => {
      await gate.opened
      await turn()
      payloads.push(payload)
    }
    const { id } = await world.soon(
      receiver.subscribe('order.created', handler, { queue: { capacity: CAPACITY } }),
      'to be subscribed',
    )
    await world.soon(sender.connect(), 'to connect')
    const flooded = flood(sender, count)
    const watch = new Watch(sender, receiver, id)
    // Nobody handles anything yet: what can pile up does.
    await standstill(world, async () => (await watch.look()) + sender.backpressureStats().received)
    gate.open()
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
