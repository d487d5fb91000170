import { array, asyncProperty, assert, integer, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../src/contract/event.ts'
import { useBuses, until } from '@bus/test-support'

const makeBus = useBuses()

const RETRIES = 2

interface Job {
  readonly key: number
  readonly turns: number
  /** How often the handler fails before it succeeds. */
  readonly failures: number
}

const jobs = array(
  record({
    key: integer({ min: 0, max: 3 }),
    turns: integer({ min: 0, max: 4 }),
    failures: integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 60 },
)

const numbersOf = (events: readonly Event[]): number[] =>
  events.map(({ payload }) => (payload as { n: number }).n)

async function waitTurns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}

describe('the order of events', () => {
  test('is kept where nothing else is said: one handler at a time, however long each takes [F93]', async () => {
    await assert(
      asyncProperty(jobs, async (list) => {
        const bus = makeBus()
        const handled: Event[] = []
        let running = 0
        await bus.subscribe('a', async (event) => {
          expect(++running).toBe(1)
          await waitTurns((event.payload as Job).turns)
          running--
          handled.push(event)
        })
        list.forEach((job, n) => bus.emit('a', { ...job, n }))
        await until(() => handled.length === list.length)
        expect(numbersOf(handled)).toEqual(list.map((_, n) => n))
        await bus.close()
      }),
      { numRuns: 30 },
    )
  })

  test('is kept for each key where handlers overlap, and failed ones are tried again in their place, then become dead letters [F93, F94]', async () => {
    await assert(
      asyncProperty(jobs, async (list) => {
        const bus = makeBus()
        const ended = new Map<number, Event[]>()
        const running = new Set<number>()
        let left = list.length
        const end = (event: Event): void => {
          const { key } = event.payload as Job
          ended.set(key, [...(ended.get(key) ?? []), event])
          left--
        }
        bus.on('dead-letter', ({ event }) => {
          if (event !== undefined) end(event)
        })
        await bus.subscribe(
          'a',
          async (event, { attempt }) => {
            const { key, turns, failures } = event.payload as Job
            expect(running.has(key)).toBe(false)
            running.add(key)
            await waitTurns(turns)
            running.delete(key)
            if (attempt <= failures) throw new Error('not yet')
            end(event)
          },
          {
            concurrency: 8,
            orderBy: ({ payload }) => `${(payload as Job).key}`,
            errorPolicy: { strategy: 'retry', retry: { attempts: RETRIES + 1, backoff: () => 0 } },
          },
        )
        list.forEach((job, n) => bus.emit('a', { ...job, n }))
        await until(() => left === 0, 8_000)
        for (const events of ended.values()) {
          const numbers = numbersOf(events)
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
        }
        const hopeless = list.filter(({ failures }) => failures > RETRIES)
        expect(bus.deadLetters?.size).toBe(hopeless.length)
        await bus.close()
      }),
      { numRuns: 20 },
    )
  })
})
