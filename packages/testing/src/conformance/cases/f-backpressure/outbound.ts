/** Cases about publishers that wait for capacity in their outbox. */
import assert from 'node:assert/strict'
import { setImmediate as nextIteration } from 'node:timers/promises'
import { type Bus, BusError, type Random } from '@bus/core'
import { numbers } from '../../case-tools/publishing.ts'
import { BLOCKS, type ConformanceCase } from '../../case.ts'

/** 20 MB in all: more than the sockets of a machine take on the way. */
const COUNT = 160
const FILLING = 'x'.repeat(131_072)
const CAPACITY = 20

export const peerStopsReading: ConformanceCase<'freeze'> = {
  id: 'F7',
  level: 'MUST',
  title:
    'when the medium stops reading publishers wait, what is kept is bounded, and all continues later',
  needs: BLOCKS,
  faults: ['freeze'],
  limitMs: 60_000,
  async run(world) {
    const transport = world.transport({ queue: { capacity: CAPACITY, strategy: 'block' } })
    const [sender, receiver] = [world.bus({ transport }), world.bus()]
    const got: number[] = []
    const keepNumber = ({ payload }: { readonly payload: unknown }): void => {
      got.push((payload as { n: number }).n)
    }
    await world.soon(receiver.subscribe('order.created', keepNumber), 'to be subscribed')
    await world.soon(sender.connect(), 'to connect')
    const heal = await world.faults.freeze(transport)
    let settled = 0
    const published = numbers(COUNT).map(async (n) => {
      await sender.publish('order.created', { n, FILLING })
      settled++
    })
    const all = Promise.all(published)
    await world.quiet()
    await world.quiet()
    const { size, capacity, waiting } = sender.backpressureStats()
    assert.ok(size <= capacity, `the queue has ${size} of ${capacity}`)
    assert.ok(settled < COUNT, 'not every publish succeeds while the medium reads nothing')
    assert.ok(size + waiting > 0, 'the publishers wait')
    await heal()
    await all
    await world.until(
      () => got.length >= COUNT,
      'everything to arrive',
      () => got.length,
    )
    await world.quiet()
    const inOrder = world.capabilities.ordering === 'none' ? got.toSorted((a, b) => a - b) : got
    assert.deepEqual(inOrder, numbers(COUNT))
  },
}

const ROUNDS = 100
const MOST_PUBLISHERS = 16

export const waitsInOrder: ConformanceCase = {
  id: 'F3',
  level: 'MUST',
  title:
    'publishers wait for capacity in order, one that aborts leaves the queue, and none is forgotten',
  needs: BLOCKS,
  limitMs: 60_000,
  async run(world) {
    const [sender, receiver] = [
      world.bus({ queue: { capacity: 3, strategy: 'block' } }),
      world.bus(),
    ]
    const inbox = await world.collect(receiver, 'order.created')
    await world.soon(sender.connect(), 'to connect')
    const fates: Fates = { kept: [], refused: [], next: 0 }
    const rounds = Math.ceil(ROUNDS * world.effort)
    for (let round = 0; round < rounds; round++) {
      await world.soon(crowd(sender, world.random, fates), 'every publish to settle')
    }
    assert.equal(sender.backpressureStats().waiting, 0, 'no publisher waits any more')
    // What was under way when its publisher gave up stays until the other side has it.
    await world.until(() => sender.backpressureStats().size === 0, 'the queue to be empty')
    const arrived = new Set(inbox.payloads)
    await world.until(
      () => {
        for (const payload of inbox.payloads.slice(arrived.size)) arrived.add(payload)
        return fates.kept.every((n) => arrived.has(n))
      },
      'everything that resolved to arrive',
      () => fates.kept.filter((n) => !arrived.has(n)),
    )
    await world.quiet()
    const both = fates.refused.filter((n) => inbox.payloads.includes(n))
    assert.deepEqual(both, [], 'what its publisher gave up in time is not sent')
    if (world.capabilities.ordering === 'none') return
    assert.deepEqual(inbox.payloads, inbox.payloads.toSorted(byNumber), 'first come, first served')
  },
}

interface Fates {
  readonly kept: number[]
  /** With outcome `not-sent`. */
  readonly refused: number[]
  next: number
}

/** Publishes much at once; some give up at a random moment. Resolves when each is settled. */
async function crowd(sender: Bus, random: Random, fates: Fates): Promise<void> {
  const size = 1 + Math.floor(random() * MOST_PUBLISHERS)
  const publishers = Array.from({ length: size }, async () => {
    const n = fates.next++
    const controller = random() < 0.4 ? new AbortController() : undefined
    if (controller !== undefined) void giveUpLater(controller, random)
    try {
      await sender.publish('order.created', n, controller && { signal: controller.signal })
      fates.kept.push(n)
    } catch (error) {
      assert.ok(error instanceof BusError, `a refusal is a BusError, not ${String(error)}`)
      assert.equal(error.code, 'aborted')
      if (error.outcome === 'not-sent') fates.refused.push(n)
    }
  })
  await Promise.all(publishers)
}

/** At once, some microtasks later, or some iterations later. */
async function giveUpLater(controller: AbortController, random: Random): Promise<void> {
  for (let n = Math.floor(random() * 5); n > 0; n--)
    await (random() < 0.5 ? nextIteration() : undefined)
  controller.abort()
}

function byNumber(a: unknown, b: unknown): number {
  return Number(a) - Number(b)
}
