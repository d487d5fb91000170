import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { SimulatedClock, listenersOf, failedEvent } from '@bus/test-support'
import { ConfigError, HandlerError, TimeoutError } from '../contract/errors.ts'
import { backoff } from './backoff.ts'
import {
  InMemoryDeadLetterQueue,
  type ConsumeOptions,
  type DeadLetter,
  type DeadLetterConsumer,
  type DeadLetterHandler,
} from './dead-letters.ts'

interface Setup {
  readonly queue: InMemoryDeadLetterQueue
  readonly clock: SimulatedClock
  /** Consumes until the test ends. */
  readonly consume: (handler: DeadLetterHandler, options?: ConsumeOptions) => DeadLetterConsumer
}

function setUp(count: number): Setup {
  const clock = new SimulatedClock()
  const queue = new InMemoryDeadLetterQueue({ clock, random: () => 1 })
  for (let i = 1; i <= count; i++) queue.add(failedEvent(i), 'test')
  return {
    queue,
    clock,
    consume: (handler, options) => {
      const consumer = queue.consume(handler, options)
      onTestFinished(() => void consumer.stop())
      return consumer
    },
  }
}

const payload = (letter: DeadLetter): unknown => letter.event?.payload

const until = (claim: () => boolean): Promise<unknown> =>
  vi.waitUntil(claim, { interval: 1, timeout: 30_000 })

/** Lets everything run that does not wait for time or the outside. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A handler that ends when told to. */
function held(): { handler: DeadLetterHandler; begun: unknown[]; ends: ((e?: Error) => void)[] } {
  const begun: unknown[] = []
  const ends: ((error?: Error) => void)[] = []
  const handler: DeadLetterHandler = (letter) => {
    begun.push(payload(letter))
    return new Promise((resolve, reject) => {
      ends.push((error) => (error === undefined ? resolve() : reject(error)))
    })
  }
  return { handler, begun, ends }
}

const fixed = (delayMs: number): ConsumeOptions => ({ backoff: backoff.constant({ delayMs }) })

const fail = (): never => {
  throw new Error('still no')
}

describe('working through letters', () => {
  test('each is handled once, oldest first, one at a time, and removed by success', async () => {
    const { queue, consume } = setUp(3)
    const seen: unknown[] = []
    let running = 0
    consume(async (letter) => {
      seen.push([payload(letter), ++running])
      await new Promise((resolve) => setImmediate(resolve))
      running--
    })
    await until(() => queue.size === 0)
    expect(seen).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ])
    expect(queue.stats()).toMatchObject({ removed: 3, parked: 0 })
  })

  test('wakes when a letter arrives, without a timer in between, and never inside of add', async () => {
    const { queue, clock, consume } = setUp(0)
    const seen: unknown[] = []
    consume((letter) => void seen.push(payload(letter)))
    await settle()
    expect(clock.delays).toEqual([])
    queue.add(failedEvent('late'), 'test')
    expect(seen).toEqual([])
    await until(() => queue.size === 0)
    expect(seen).toEqual(['late'])
  })

  test('concurrency is how many are handled at once', async () => {
    const { queue, consume } = setUp(5)
    const { handler, begun, ends } = held()
    consume(handler, { concurrency: 2 })
    await settle()
    expect(begun).toEqual([1, 2])
    ends[1]?.()
    await until(() => begun.length === 3)
    expect(begun).toEqual([1, 2, 3])
    for (let i = 0; i < 5; i++) {
      await until(() => ends.length > i)
      ends[i]?.()
    }
    await until(() => queue.size === 0)
  })

  test('two consumers: each letter is handled once', async () => {
    const { queue, consume } = setUp(20)
    const seen: unknown[] = []
    const handler: DeadLetterHandler = async (letter) => {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(payload(letter))
    }
    consume(handler)
    consume(handler, { concurrency: 3 })
    await until(() => queue.size === 0)
    expect(seen).toHaveLength(20)
    expect(new Set(seen).size).toBe(20)
  })

  test('a letter in hand is not evicted, redriven or handed to another', async () => {
    const clock = new SimulatedClock()
    const queue = new InMemoryDeadLetterQueue({ capacity: 2, clock })
    queue.add(failedEvent(1), 'test')
    const { handler, ends } = held()
    const consumer = queue.consume(handler)
    await until(() => ends.length === 1)
    queue.add(failedEvent(2), 'test')
    queue.add(failedEvent(3), 'test')
    expect(queue.list().map(payload)).toEqual([1, 3])
    expect(await queue.redrive({ publish: async () => {} })).toMatchObject({
      redriven: 1,
      skipped: 1,
    })
    ends[0]?.()
    await consumer.stop()
    expect(queue.size).toBe(0)
  })
})

test('a queue whose every letter is in hand refuses the new one', async () => {
  const queue = new InMemoryDeadLetterQueue({ capacity: 1 })
  queue.add(failedEvent(1), 'test')
  const { handler, ends } = held()
  const consumer = queue.consume(handler)
  await until(() => ends.length === 1)
  expect(queue.add(failedEvent(2), 'test')).toBeUndefined()
  expect(queue.stats()).toMatchObject({ size: 1, evicted: 0, refused: 1 })
  ends[0]?.()
  await consumer.stop()
})

describe('failing', () => {
  test('a failed letter keeps its place, data and error, with one more attempt, and waits for the backoff', async () => {
    const { queue, clock, consume } = setUp(2)
    const failures: unknown[] = []
    queue.on('failed', ({ letter, error }) => failures.push([payload(letter), error]))
    const seen: unknown[] = []
    const error = new Error('still no')
    consume((letter) => {
      seen.push([payload(letter), letter.attempts])
      if (seen.length === 1) throw error
    }, fixed(50))
    await until(() => failures.length === 1)
    await clock.untilPending(1)
    expect(queue.peek()).toMatchObject({ attempts: 2, parked: false, error: { message: 'no' } })
    expect(failures).toEqual([[1, error]])
    clock.advance(49)
    await settle()
    expect(seen).toEqual([[1, 1]])
    clock.advance(1)
    await until(() => queue.size === 0)
    expect(seen).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ])
  })

  test('after its last attempt a letter is parked: it stays, untouched, and the next one has its turn', async () => {
    const { queue, clock, consume } = setUp(2)
    const parked: unknown[] = []
    queue.on('parked', (letter) => parked.push(payload(letter)))
    const calls = new Map<unknown, number>()
    consume(
      (letter) => {
        calls.set(payload(letter), (calls.get(payload(letter)) ?? 0) + 1)
        if (payload(letter) === 1) throw new Error('still no')
      },
      { ...fixed(10), maxAttempts: 3 },
    )
    for (let i = 0; i < 3; i++) {
      await clock.untilPending(1)
      clock.advance(10)
    }
    await until(() => queue.size === 1)
    expect([...calls]).toEqual([
      [1, 3],
      [2, 1],
    ])
    expect(parked).toEqual([1])
    expect(queue.peek()).toMatchObject({ parked: true, attempts: 4, error: { message: 'no' } })
    expect(queue.stats()).toMatchObject({ parked: 1 })
    queue.add(failedEvent(3), 'test')
    await until(() => queue.size === 1)
    expect(calls.get(1)).toBe(3)
    expect(await queue.redrive({ publish: async () => {} })).toMatchObject({ redriven: 1 })
    expect(queue.stats()).toMatchObject({ parked: 0, size: 0 })
  })

  test('without options a letter has five attempts', async () => {
    const { queue, clock, consume } = setUp(1)
    let calls = 0
    consume(() => {
      calls++
      fail()
    })
    for (let i = 0; i < 5; i++) {
      await clock.untilPending(1)
      clock.advance(30_000)
    }
    await settle()
    expect([calls, queue.peek()?.parked]).toEqual([5, true])
  })

  test('many letters that all fail are no hot loop: the calls in a second are bounded', async () => {
    const { queue, clock, consume } = setUp(100)
    let calls = 0
    consume(
      () => {
        calls++
        fail()
      },
      { ...fixed(100), maxAttempts: 1 },
    )
    for (let ms = 0; ms < 1_000; ms += 100) {
      await clock.untilPending(1)
      clock.advance(100)
    }
    await clock.untilPending(1)
    expect(calls).toBe(11)
    expect(queue.stats()).toMatchObject({ size: 100, parked: 11 })
  })

  test('the backoff counts failures in a row, over all letters, and a success starts anew', async () => {
    const { queue, clock, consume } = setUp(0)
    const asked: number[] = []
    consume(
      (letter) => {
        if (payload(letter) !== 'good') fail()
      },
      { maxAttempts: 1, backoff: (attempt) => (asked.push(attempt), 10) },
    )
    for (const [i, given] of ['bad', 'bad', 'good', 'bad'].entries()) {
      queue.add(failedEvent(given), 'test')
      await until(() => queue.stats().parked + queue.stats().removed === i + 1)
      if (given === 'bad') await clock.untilPending(1)
      clock.advance(10)
    }
    expect(asked).toEqual([1, 2, 1])
  })

  test('a backoff that throws is reported, and the default stands in for it', async () => {
    const { queue, clock, consume } = setUp(1)
    const errors: unknown[] = []
    queue.on('failed', ({ error }) => errors.push(error))
    const broken = new Error('broken policy')
    consume(fail, {
      backoff: () => {
        throw broken
      },
    })
    await clock.untilPending(1)
    expect(errors).toContain(broken)
    expect(clock.delays.at(-1)).toBe(100)
  })

  test('a handler that never ends has its time: then its signal aborts and the letter stays', async () => {
    const { queue, clock, consume } = setUp(1)
    const errors: unknown[] = []
    queue.on('failed', ({ error }) => errors.push(error))
    let inner: AbortSignal | undefined
    consume(
      (_letter, { signal }) => {
        inner = signal
        return new Promise(() => {})
      },
      { ...fixed(10), handlerTimeoutMs: 500 },
    )
    await clock.untilPending(1)
    clock.advance(499)
    await settle()
    expect(inner?.aborted).toBe(false)
    clock.advance(1)
    await until(() => errors.length === 1)
    expect(errors[0]).toBeInstanceOf(TimeoutError)
    expect(inner?.aborted).toBe(true)
    expect(queue.peek()).toMatchObject({ attempts: 2 })
  })

  test('without options a handler has 30 seconds', async () => {
    const { clock, consume } = setUp(1)
    consume(() => new Promise(() => {}))
    await clock.untilPending(1)
    expect(clock.delays).toEqual([30_000])
  })

  test('a handler whose event is given up again has not succeeded, and no second letter appears', async () => {
    const { queue, clock, consume } = setUp(1)
    const errors: unknown[] = []
    queue.on('failed', ({ error }) => errors.push(error))
    consume(({ event }) => {
      const again = failedEvent(1, { direction: 'outbound', reason: 'dropped' })
      queue.add({ ...again, ...(event && { event }) }, 'transport')
    })
    await clock.untilPending(1)
    expect(errors[0]).toBeInstanceOf(HandlerError)
    expect(queue.list()).toMatchObject([{ attempts: 2, reason: 'handler' }])
  })
})

describe('stopping', () => {
  test('stop waits for the letter in hand; success still removes it, and no further one is begun', async () => {
    const { queue, consume } = setUp(2)
    const { handler, begun, ends } = held()
    const consumer = consume(handler)
    await until(() => ends.length === 1)
    let stopped = false
    const stopping = consumer.stop().then(() => (stopped = true))
    await settle()
    expect([stopped, consumer.isStopped]).toEqual([false, true])
    ends[0]?.()
    await stopping
    queue.add(failedEvent(3), 'test')
    await settle()
    expect(begun).toEqual([1])
    expect(queue.list().map(payload)).toEqual([2, 3])
  })

  test('a letter in hand that fails during stop is not lost, and is free for the next consumer', async () => {
    const { queue, clock, consume } = setUp(1)
    const { handler, ends } = held()
    const consumer = consume(handler)
    await until(() => ends.length === 1)
    const stopping = consumer.stop()
    ends[0]?.(new Error('still no'))
    await stopping
    expect(queue.list()).toMatchObject([{ attempts: 2, parked: false }])
    expect(clock.pending).toBe(0)
    consume(() => {})
    await until(() => queue.size === 0)
  })

  test('stop ends a wait for the backoff at once and leaves no timer', async () => {
    const { queue, clock, consume } = setUp(1)
    const consumer = consume(fail, fixed(60_000))
    await clock.untilPending(1)
    await consumer.stop()
    await consumer.stop()
    expect(clock.pending).toBe(0)
    expect(queue.size).toBe(1)
  })

  test('attempts count on with the next consumer', async () => {
    const { queue, clock, consume } = setUp(1)
    const first = consume(fail, { ...fixed(10), maxAttempts: 2 })
    await clock.untilPending(1)
    await first.stop()
    consume(fail, { ...fixed(10), maxAttempts: 2 })
    await until(() => queue.stats().parked === 1)
    expect(queue.peek()).toMatchObject({ attempts: 3 })
  })

  test('the signal stops it and is left without a listener', async () => {
    const { queue, consume } = setUp(0)
    const controller = new AbortController()
    const consumer = consume(() => {}, { signal: controller.signal })
    expect(listenersOf(controller.signal)).toBe(1)
    controller.abort()
    expect(consumer.isStopped).toBe(true)
    expect(listenersOf(controller.signal)).toBe(0)
    expect(consume(() => {}, { signal: controller.signal }).isStopped).toBe(true)
    queue.add(failedEvent(1), 'test')
    await settle()
    expect(queue.size).toBe(1)
  })

  test('waiting for stop can be given up', async () => {
    const { consume } = setUp(1)
    const { handler, ends } = held()
    const consumer = consume(handler)
    await until(() => ends.length === 1)
    const controller = new AbortController()
    const stopping = consumer.stop({ signal: controller.signal })
    controller.abort()
    await expect(stopping).rejects.toThrow('Stopping the consumer was aborted')
    ends[0]?.()
    await consumer.stop()
  })

  test('await using stops it', async () => {
    const { queue } = setUp(1)
    let consumer: DeadLetterConsumer
    {
      await using scoped = queue.consume(() => {})
      consumer = scoped
    }
    expect(consumer.isStopped).toBe(true)
  })

  test('closing the queue stops its consumers, and the letter in hand is among what is left', async () => {
    const { queue, consume } = setUp(2)
    const { handler, ends } = held()
    const consumer = consume(handler)
    await until(() => ends.length === 1)
    expect(queue.close().map(payload)).toEqual([1, 2])
    expect(consumer.isStopped).toBe(true)
    ends[0]?.(new Error('too late'))
    await consumer.stop()
    expect(queue.size).toBe(0)
    const { added, removed } = queue.stats()
    expect(removed).toBe(added)
  })
})

describe('options', () => {
  test.each([
    ['backoff', '{"backoff":100}'],
    ['maxAttempts', '{"maxAttempts":0}'],
    ['concurrency', '{"concurrency":0.5}'],
    ['handlerTimeoutMs', '{"handlerTimeoutMs":-1}'],
    ['signal', '{"signal":{}}'],
    ['maxAttemps', '{"maxAttemps":1}'],
  ])('%s of another form is refused', (path, json) => {
    const { queue } = setUp(0)
    const make = (): unknown => queue.consume(() => {}, JSON.parse(json) as ConsumeOptions)
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(expect.objectContaining({ path }))
  })

  test('a handler that is none is refused', () => {
    const { queue } = setUp(0)
    const none = JSON.parse('{}') as DeadLetterHandler
    expect(() => queue.consume(none)).toThrow(expect.objectContaining({ path: 'handler' }))
  })
})
