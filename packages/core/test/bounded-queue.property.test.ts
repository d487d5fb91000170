import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BACKPRESSURE_STRATEGIES } from '@bus/core/kit'
import { BoundedQueue } from '../src/queue/bounded-queue.ts'
import { QueueRun, type Op } from './queue-run.ts'

const bytes = fc.integer({ min: 0, max: 12 })
const pick = fc.nat(100)
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('offer' as const), bytes }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant('push' as const), bytes }) },
  {
    weight: 9,
    arbitrary: fc.record({
      op: fc.constantFrom('take', 'reserve', 'putBack', 'commit', 'release'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('remove', 'abort'), pick }) },
)
const limits = fc.record({
  capacity: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(Infinity)),
  maxBytes: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(Infinity)),
})

describe.each(BACKPRESSURE_STRATEGIES)('%s', (strategy) => {
  test('limits hold, nothing is both delivered and dropped, and every step is as the model says [F54, F55]', async () => {
    await fc.assert(
      fc.asyncProperty(
        limits,
        fc.array(op, { maxLength: 60 }),
        async ({ capacity, maxBytes }, ops) => {
          const run = new QueueRun(capacity, maxBytes, strategy)
          for (const step of ops) {
            run.step(step)
            const { size, bytes: used } = run.stats()
            expect(size <= capacity && used <= maxBytes).toBe(true)
          }
          await run.end()
          expect(run.actual).toEqual(run.expected)
          const { delivered, dropped, rejected, received } = run.model
          const gone = [...delivered, ...dropped, ...rejected]
          expect(new Set(gone).size).toBe(gone.length)
          expect(gone.length).toBe(received.length)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('whatever comes after a close is refused, and every waiter has settled', async () => {
    const steps = fc.array(op, { maxLength: 15 })
    await fc.assert(
      fc.asyncProperty(steps, steps, async (before, after) => {
        const run = new QueueRun(3, 20, strategy)
        for (const step of before) run.step(step)
        run.step({ op: 'close' })
        for (const step of after) run.step(step)
        await run.end()
        expect(run.actual).toEqual(run.expected)
      }),
      { numRuns: 50 },
    )
  })
})

test('among what is taken the order is that of arrival, whichever of up to fifty gives up [F53]', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(49)),
      async (waiters, givingUp) => {
        const queue = new BoundedQueue<number>({ capacity: 1 })
        queue.offer(-1)
        const controllers = Array.from({ length: waiters }, () => new AbortController())
        const pushes = controllers.map(async ({ signal }, id) => queue.push(id, { signal }))
        const results = Promise.allSettled(pushes)
        for (const id of givingUp) controllers[id % waiters]?.abort()
        const taken: number[] = []
        for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item)
        const gone = new Set(givingUp.map((id) => id % waiters))
        const stayed = controllers.map((_, id) => id).filter((id) => !gone.has(id))
        expect(taken).toEqual([-1, ...stayed])
        for (const [id, result] of (await results).entries()) {
          expect(result.status).toBe(gone.has(id) ? 'rejected' : 'fulfilled')
        }
      },
    ),
  )
})

test('asking for n items gives as many as there are up to n, in order, and asking for none changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 20 }), fc.nat(25), (items, n) => {
      const queue = new BoundedQueue<number>({ capacity: 20 })
      for (const item of items) queue.offer(item)
      const taken = Array.from({ length: n }, () => queue.take()).slice(0, queue.stats().sent)
      expect(taken).toEqual(items.slice(0, n))
      expect([...queue]).toEqual(items.slice(n))
      expect(queue.stats()).toMatchObject({ sent: Math.min(n, items.length), dropped: 0 })
    }),
  )
})
