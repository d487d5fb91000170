/** Dead letters from the failing handler to their end: how many are kept, how they are worked through, and what is left. */
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Bus } from '../src/bus/bus.ts'
import { InMemoryDeadLetterQueue, type DeadLetter } from '../src/resilience/dead-letters.ts'
import { useBuses, SimulatedClock, deferred, until } from '@bus/test-support'

const busOf = useBuses()

const payload = (letter: DeadLetter): unknown => letter.event?.payload

/** A bus on which the events 1 to `count` fail, and become dead letters of this queue. */
async function failing(queue: InMemoryDeadLetterQueue, count: number): Promise<Bus> {
  const bus = busOf({ deadLetters: queue })
  await bus.subscribe('job', ({ payload: n }) => {
    throw new Error(`no ${String(n)}`)
  })
  for (let n = 1; n <= count; n++) await bus.publish('job', n)
  await until(() => queue.stats().added + queue.stats().refused >= count)
  return bus
}

/** Lets everything run that does not wait for time. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('a full queue', () => {
  test('gives up its oldest letter for a new one, which is reported and counted [F125]', async () => {
    const queue = new InMemoryDeadLetterQueue({ capacity: 3 })
    const evicted: unknown[] = []
    queue.on('evicted', (letter) => evicted.push(payload(letter)))
    await failing(queue, 4)
    expect(queue.list().map(payload)).toEqual([2, 3, 4])
    expect(evicted).toEqual([1])
    expect(queue.stats()).toMatchObject({ size: 3, added: 4, evicted: 1, refused: 0 })
  })

  test('is also full in bytes [F125]', async () => {
    const queue = new InMemoryDeadLetterQueue({ maxBytes: 20_000 })
    const bus = await failing(queue, 3)
    await bus.publish('job', 'x'.repeat(9_000))
    await until(() => queue.stats().added === 4)
    const { bytes, evicted, size } = queue.stats()
    expect(bytes).toBeLessThanOrEqual(20_000)
    expect(evicted + size).toBe(4)
    expect(queue.list().map(payload).at(-1)).toBe('x'.repeat(9_000))
  })

  test('that refuses leaves the event with its subscription, which stores it when there is room [F125]', async () => {
    const queue = new InMemoryDeadLetterQueue({ capacity: 2, overflow: 'refuse' })
    const refused: unknown[] = []
    queue.on('refused', ({ undeliverable }) => refused.push(undeliverable.event?.payload))
    const bus = busOf({ deadLetters: queue })
    const retry = { attempts: 10_001, backoff: (): number => 1 }
    await bus.subscribe('job', () => Promise.reject(new Error('no')), {
      errorPolicy: { strategy: 'dlq', deadLetter: { fallback: 'retry', retry } },
    })
    for (let n = 1; n <= 3; n++) await bus.publish('job', n)
    await until(() => refused.length > 3)
    expect(queue.list().map(payload)).toEqual([1, 2])
    expect(new Set(refused)).toEqual(new Set([3]))
    queue.remove(queue.peek()?.id ?? '')
    await until(() => queue.size === 2)
    expect(queue.list().map(payload)).toEqual([2, 3])
    expect(queue.stats().evicted).toBe(0)
  })
})

describe('a consumer', () => {
  test('that throws halfway loses nothing and doubles nothing: the letter stays, and is tried again [F126]', async () => {
    const clock = new SimulatedClock()
    const queue = new InMemoryDeadLetterQueue({ clock })
    await failing(queue, 6)
    const begun: unknown[] = []
    const done: unknown[] = []
    queue.consume(
      async (letter) => {
        begun.push(payload(letter))
        await Promise.resolve()
        if (payload(letter) === 4 && letter.attempts < 3) throw new Error('in the middle of it')
        done.push(payload(letter))
      },
      { backoff: () => 10 },
    )
    for (const attempts of [2, 3]) {
      await clock.untilPending(1)
      expect(queue.peek()).toMatchObject({ event: { payload: 4 }, attempts })
      expect(queue.size).toBe(3)
      clock.advance(10)
    }
    await until(() => queue.size === 0)
    expect(done).toEqual([1, 2, 3, 4, 5, 6])
    expect(begun).toEqual([1, 2, 3, 4, 4, 4, 5, 6])
  })

  test('that always fails is called no more often than its backoff says, and then leaves the letter alone [F127]', async () => {
    const clock = new SimulatedClock()
    const queue = new InMemoryDeadLetterQueue({ clock, random: () => 1 })
    const parked: unknown[] = []
    queue.on('parked', (letter) => parked.push(payload(letter)))
    await failing(queue, 1)
    let calls = 0
    queue.consume(() => {
      calls++
      throw new Error('still no')
    })
    await clock.untilPending(1)
    for (let ms = 0; ms < 1_000; ms += 10) {
      clock.advance(10)
      await settle()
    }
    // At once, then after 100, 200 and 400 ms.
    expect(calls).toBe(4)
    clock.advance(1_000)
    await settle()
    clock.advance(3_600_000)
    await settle()
    expect([calls, parked, queue.peek()?.parked]).toEqual([5, [1], true])
    expect(queue.size).toBe(1)
  })

  test('that never ends has its time: its signal aborts, the letter stays and comes again [F128]', async () => {
    const clock = new SimulatedClock()
    const queue = new InMemoryDeadLetterQueue({ clock })
    await failing(queue, 2)
    const signals: AbortSignal[] = []
    const done: unknown[] = []
    queue.consume(
      (letter, { signal }) => {
        if (letter.attempts === 1 && payload(letter) === 1) {
          signals.push(signal)
          return new Promise<void>(() => {})
        }
        done.push(payload(letter))
        return undefined
      },
      { handlerTimeoutMs: 5_000, backoff: () => 1 },
    )
    await clock.untilPending(1)
    clock.advance(4_999)
    await settle()
    expect([signals[0]?.aborted, queue.size]).toEqual([false, 2])
    clock.advance(1)
    await settle()
    expect(signals[0]?.aborted).toBe(true)
    await clock.untilPending(1)
    clock.advance(1)
    await until(() => queue.size === 0)
    expect(done).toEqual([1, 2])
  })

  test('shares no letter with another one, and one that is in hand is neither evicted nor sent again [F129]', async () => {
    const queue = new InMemoryDeadLetterQueue({ capacity: 4 })
    const bus = await failing(queue, 4)
    const held = [deferred(), deferred()]
    const seen: unknown[] = []
    const consumers = held.map(({ promise }) =>
      queue.consume(async (letter) => {
        seen.push(payload(letter))
        await promise
      }),
    )
    await until(() => seen.length === 2)
    expect(seen).toEqual([1, 2])
    // Another one comes, and a letter that no consumer works on makes room.
    await bus.publish('job', 5)
    await until(() => queue.stats().evicted === 1)
    expect(queue.list().map(payload)).toEqual([1, 2, 4, 5])
    await expect(queue.redrive({ publish: async () => {} })).resolves.toMatchObject({
      redriven: 2,
      skipped: 2,
    })
    for (const one of held) one.resolve()
    await until(() => queue.size === 0)
    await Promise.all(consumers.map((consumer) => consumer.stop()))
    expect(new Set(seen)).toEqual(new Set([1, 2]))
  })

  test('handles one at a time by default [F129]', async () => {
    const queue = new InMemoryDeadLetterQueue()
    await failing(queue, 20)
    let running = 0
    let most = 0
    queue.consume(async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    })
    await until(() => queue.size === 0)
    expect(most).toBe(1)
  })
})

describe('the end', () => {
  test('of the bus leaves its letters, and closing them hands out all that is left, the one in hand too [F130]', async () => {
    const queue = new InMemoryDeadLetterQueue()
    const bus = await failing(queue, 5)
    const hold = deferred()
    const begun: unknown[] = []
    queue.consume(async (letter) => {
      begun.push(payload(letter))
      if (begun.length === 3) await hold.promise
    })
    await until(() => begun.length === 3)
    await bus.close()
    const left = queue.close()
    expect(left.map(payload)).toEqual([3, 4, 5])
    expect(queue.close()).toEqual([])
    hold.resolve()
    await settle()
    // Every letter was either handled or handed out.
    const { added, removed, size, evicted } = queue.stats()
    expect([added, removed, size, evicted]).toEqual([5, 5, 0, 0])
  })
})

describe('a secret', () => {
  test('that redact takes out is in no letter, notice or print, nor in what a consumer gets [F131]', async () => {
    const CANARY = 'canary-7f3a9c'
    const queue = new InMemoryDeadLetterQueue({
      redact: ({ event, error }) => ({
        ...(event === undefined ? {} : { event: { ...event, payload: '[hidden]' } }),
        error: { ...error, message: '[hidden]' },
      }),
    })
    const told: unknown[] = []
    queue.on('added', (letter) => told.push(letter))
    const bus = busOf({ deadLetters: queue })
    bus.on('dead-letter', (letter) => told.push(letter))
    await bus.subscribe('card', ({ payload: card }) => {
      throw new Error(`cannot charge ${String(card)}`)
    })
    await bus.publish('card', CANARY)
    await until(() => queue.size === 1)
    queue.consume((letter) => void told.push(letter))
    await until(() => queue.size === 0)
    expect(told.length).toBeGreaterThanOrEqual(2)
    const shown = inspect([told, queue], { depth: 10, showHidden: true }) + JSON.stringify(told)
    expect(shown).not.toContain(CANARY)
    expect(shown).toContain('[hidden]')
  })

  test('stays out even where redact itself fails [F131]', async () => {
    const queue = new InMemoryDeadLetterQueue({
      redact: () => {
        throw new Error('redact failed')
      },
    })
    const errors: unknown[] = []
    queue.on('error', ({ kind }) => errors.push(kind))
    const bus = busOf({ deadLetters: queue })
    await bus.subscribe('card', () => Promise.reject(new Error('canary')))
    await bus.publish('card', 'canary')
    await until(() => queue.size === 1)
    expect(JSON.stringify(queue.list())).not.toContain('canary')
    expect(errors).toEqual(['redact'])
  })
})
