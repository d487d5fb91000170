/** Publishers that wait for room, and some that lose patience. */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { BusError, type Bus, type Random } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import { BLOCKS } from '../../claims.ts'

const ROUNDS = 100
const MOST_PUBLISHERS = 16

export const waitsInTurn: ConformanceCase = {
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
      await world.soon(crowd(sender, world.random, fates), 'every publisher to get its turn')
    }
    assert.equal(sender.backpressureStats().waiting, 0, 'nobody waits any more')
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
    const patience = random() < 0.4 ? new AbortController() : undefined
    if (patience !== undefined) void giveUpLater(patience, random)
    try {
      await sender.publish('order.created', n, patience && { signal: patience.signal })
      fates.kept.push(n)
    } catch (error) {
      assert.ok(error instanceof BusError, `a refusal is a BusError, not ${String(error)}`)
      assert.equal(error.code, 'aborted')
      if (error.outcome === 'not-sent') fates.refused.push(n)
    }
  })
  await Promise.all(publishers)
}

/** At once, some microtasks later, or some turns later. */
async function giveUpLater(patience: AbortController, random: Random): Promise<void> {
  for (let n = Math.floor(random() * 5); n > 0; n--) await (random() < 0.5 ? turn() : undefined)
  patience.abort()
}

function byNumber(a: unknown, b: unknown): number {
  return Number(a) - Number(b)
}
