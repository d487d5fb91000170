import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Clock, Timer } from '../contract/clock.ts'
import {
  AbortedError,
  ClosedError,
  ConfigError,
  DroppedError,
  QueueFullError,
  TimeoutError,
  TooLargeError,
} from '../contract/errors.ts'
import { BoundedQueue } from './bounded-queue.ts'

interface Sized {
  readonly name: string
  readonly bytes: number
}

const sized = (name: string, bytes: number): Sized => ({ name, bytes })
const sizeOf = (item: Sized): number => item.bytes

/** A clock whose timers fire when told to. */
class ManualClock implements Clock {
  readonly timers = new Map<Timer, () => void>()
  now(): number {
    return 0
  }
  setTimeout(run: () => void): Timer {
    const timer: Timer = {}
    this.timers.set(timer, run)
    return timer
  }
  clearTimeout(timer: Timer): void {
    this.timers.delete(timer)
  }
  fire(): void {
    for (const [timer, run] of this.timers) {
      this.timers.delete(timer)
      run()
    }
  }
}

/** A signal that counts its listeners. */
function countedSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController()
  const add = vi.spyOn(controller.signal, 'addEventListener')
  const remove = vi.spyOn(controller.signal, 'removeEventListener')
  return { controller, listeners: () => add.mock.calls.length - remove.mock.calls.length }
}

async function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'fulfilled',
    (error: unknown) => error,
  )
}

/** A queue with two places, taken by a and b, and what it gives up. */
function fullOfTwo(strategy: 'drop-newest' | 'drop-oldest'): {
  queue: BoundedQueue<string>
  dropped: string[]
} {
  const dropped: string[] = []
  const queue = new BoundedQueue<string>(
    { capacity: 2, strategy },
    { onDrop: (item) => dropped.push(item) },
  )
  queue.offer('a')
  queue.offer('b')
  return { queue, dropped }
}

/** A queue of ten bytes that evicts, and the names of what it gives up. */
function tenBytes(): { queue: BoundedQueue<Sized>; dropped: string[] } {
  const dropped: string[] = []
  const queue = new BoundedQueue<Sized>(
    { maxBytes: 10, strategy: 'drop-oldest' },
    { sizeOf, onDrop: (item) => dropped.push(item.name) },
  )
  return { queue, dropped }
}

describe('block', () => {
  test('two pushes fill a queue of two, the third waits, and one take lets it in', async () => {
    const queue = new BoundedQueue<string>({ capacity: 2 })
    await queue.push('a')
    await queue.push('b')
    const third = settled(queue.push('c'))
    expect(queue.stats()).toMatchObject({ received: 2, size: 2, waiting: 1, fillRatio: 1 })
    expect(queue.take()).toBe('a')
    expect(await third).toBe('fulfilled')
    expect(queue.stats()).toMatchObject({ received: 3, sent: 1, size: 2, waiting: 0 })
    expect([...queue]).toEqual(['b', 'c'])
  })

  test('an offer to a full queue answers full and is not counted', () => {
    const queue = new BoundedQueue<string>({ capacity: 1 })
    expect(queue.offer('a')).toBe('accepted')
    expect(queue.offer('b')).toBe('full')
    expect(queue.stats()).toMatchObject({ received: 1, size: 1, waiting: 0 })
  })

  test('one freed slot wakes exactly one waiter, the first', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 })
    queue.offer(0)
    const order: number[] = []
    const waits = [1, 2, 3].map(async (n) => {
      await queue.push(n)
      order.push(n)
    })
    queue.take()
    await waits[0]
    expect(order).toEqual([1])
    expect(queue.waiting).toBe(2)
    queue.take()
    queue.take()
    await Promise.all(waits)
    expect(order).toEqual([1, 2, 3])
  })

  test('an item that does not fit yet keeps its place, also against smaller ones and offers', async () => {
    const queue = new BoundedQueue<Sized>({ maxBytes: 10 }, { sizeOf })
    queue.offer(sized('a', 4))
    queue.offer(sized('b', 4))
    const large = settled(queue.push(sized('large', 8)))
    const small = settled(queue.push(sized('small', 1)))
    expect(queue.offer(sized('offered', 1))).toBe('full')
    expect(queue.hasRoom).toBe(false)
    queue.take()
    expect(queue.waiting).toBe(2)
    queue.take()
    expect([await large, await small]).toEqual(['fulfilled', 'fulfilled'])
    expect([...queue].map((item) => item.name)).toEqual(['large', 'small'])
  })

  test('when the one that held the line gives up, those behind it that fit come in', async () => {
    const queue = new BoundedQueue<Sized>({ maxBytes: 10 }, { sizeOf })
    queue.offer(sized('a', 5))
    const controller = new AbortController()
    const large = settled(queue.push(sized('large', 8), { signal: controller.signal }))
    const small = settled(queue.push(sized('small', 5)))
    controller.abort()
    expect(await large).toBeInstanceOf(AbortedError)
    expect(await small).toBe('fulfilled')
  })

  test('items under way keep their room until they are committed', async () => {
    const queue = new BoundedQueue<string>({ capacity: 1 })
    queue.offer('a')
    queue.reserve()
    const waiting = settled(queue.push('b'))
    expect(queue.stats()).toMatchObject({ size: 1, waiting: 1 })
    queue.commit()
    expect(await waiting).toBe('fulfilled')
  })
})

describe('a blocked publisher', () => {
  test('is one of 10,000 at most: what waits in front of a bounded queue is bounded too', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 })
    const pushes = Array.from({ length: 10_003 }, (_, n) => queue.push(n).then(() => 'in', String))
    expect(queue.waiting).toBe(10_000)
    expect(await Promise.all(pushes.slice(10_001))).toEqual([
      expect.stringContaining('QueueFullError: The queue is full (capacity 1), and 10000 callers'),
      expect.stringContaining('QueueFullError'),
    ])
    expect(queue.stats()).toMatchObject({ received: 3, rejected: 2, size: 1, waiting: 10_000 })
    // One that leaves makes room for one that waits, and so for another that may wait.
    expect(queue.take()).toBe(0)
    expect(await pushes[1]).toBe('in')
    void queue.push(7).catch(() => {})
    expect(queue.waiting).toBe(10_000)
    queue.close(new Error('over'))
    await Promise.all(pushes)
  })

  test('waits with 64 MiB together at most, but alone whatever its size', async () => {
    const byItself = (bytes: number): number => bytes
    const queue = new BoundedQueue<number>({ capacity: 1 }, { sizeOf: byItself })
    await queue.push(1)
    const waits = [queue.push(100_000_000).catch(String)]
    await expect(queue.push(1)).rejects.toMatchObject({ code: 'queue-full', outcome: 'not-sent' })
    queue.take()
    await waits[0]
    queue.take()
    await queue.push(1)
    const small = queue.push(1).catch(String)
    expect(queue.waiting).toBe(1)
    queue.close(new Error('over'))
    expect(await small).toContain('over')
  })

  test('whose signal is already aborted is refused at once and leaves no listener', async () => {
    const queue = new BoundedQueue<string>({ capacity: 1 })
    const { controller, listeners } = countedSignal()
    const reason = new Error('changed my mind')
    controller.abort(reason)
    const error = await settled(queue.push('a', { signal: controller.signal }))
    expect(error).toBeInstanceOf(AbortedError)
    expect(error).toMatchObject({ outcome: 'not-sent', cause: reason, name: 'AbortError' })
    expect(listeners()).toBe(0)
    expect(queue.stats()).toMatchObject({ size: 0, waiting: 0, received: 1, rejected: 1 })
  })

  test('that is aborted while it waits gets its own error, and its place is given up', async () => {
    const queue = new BoundedQueue<string>({ capacity: 1 })
    queue.offer('a')
    const { controller, listeners } = countedSignal()
    const reason = new Error('changed my mind')
    const aborted = settled(queue.push('b', { signal: controller.signal }))
    const patient = settled(queue.push('c'))
    expect(listeners()).toBe(1)
    controller.abort(reason)
    expect(await aborted).toMatchObject({ code: 'aborted', outcome: 'not-sent', cause: reason })
    expect(queue.waiting).toBe(1)
    queue.take()
    expect(await patient).toBe('fulfilled')
    expect([...queue]).toEqual(['c'])
    expect(listeners()).toBe(0)
  })

  test('that was let in leaves no listener, and a later abort changes nothing', async () => {
    const queue = new BoundedQueue<string>({ capacity: 1 })
    queue.offer('a')
    const { controller, listeners } = countedSignal()
    const waiting = queue.push('b', { signal: controller.signal })
    queue.take()
    await waiting
    expect(listeners()).toBe(0)
    controller.abort()
    expect([...queue]).toEqual(['b'])
  })

  test('that waited too long gets a time-out, and leaves neither timer nor place', async () => {
    const clock = new ManualClock()
    const queue = new BoundedQueue<string>({ capacity: 1 }, {}, clock)
    queue.offer('a')
    const late = settled(queue.push('b', { timeoutMs: 50 }))
    expect(clock.timers.size).toBe(1)
    clock.fire()
    const error = await late
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({ outcome: 'not-sent' })
    expect((error as Error).message).toContain('50 ms')
    expect(clock.timers.size).toBe(0)
    expect(queue.stats()).toMatchObject({ waiting: 0, rejected: 1, received: 2, size: 1 })
  })

  test('that was let in time leaves no timer', async () => {
    const clock = new ManualClock()
    const queue = new BoundedQueue<string>({ capacity: 1 }, {}, clock)
    queue.offer('a')
    const waiting = queue.push('b', { timeoutMs: 50 })
    queue.take()
    await waiting
    expect(clock.timers.size).toBe(0)
  })

  test('is turned away by close with the error of the close, without listener or timer', async () => {
    const clock = new ManualClock()
    const queue = new BoundedQueue<number>({ capacity: 1 }, {}, clock)
    queue.offer(0)
    const { controller, listeners } = countedSignal()
    const waits = Array.from({ length: 100 }, (_, i) =>
      settled(queue.push(i + 1, { signal: controller.signal, timeoutMs: 1_000 })),
    )
    const error = new ClosedError('Shutting down', { outcome: 'not-sent' })
    expect(queue.close(error)).toEqual([0])
    expect(new Set(await Promise.all(waits))).toEqual(new Set([error]))
    expect([listeners(), clock.timers.size, queue.waiting]).toEqual([0, 0, 0])
    expect(queue.stats()).toMatchObject({ received: 101, dropped: 1, rejected: 100, size: 0 })
  })

  test.each([-1, NaN, '5'])('with a time-out of %s is refused', async (timeoutMs) => {
    const queue = new BoundedQueue<string>()
    const error = await settled(queue.push('a', { timeoutMs: timeoutMs as number }))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ path: 'timeoutMs' })
    expect(queue.size).toBe(0)
  })
})

describe('drop-newest', () => {
  test('the third push into a capacity of two is refused, reported and counted', async () => {
    const { queue, dropped } = fullOfTwo('drop-newest')
    expect(queue.offer('c')).toBe('dropped')
    const error = await settled(queue.push('d'))
    expect(error).toBeInstanceOf(DroppedError)
    expect(error).toMatchObject({ outcome: 'not-sent' })
    expect(dropped).toEqual(['c', 'd'])
    expect([...queue]).toEqual(['a', 'b'])
    expect(queue.stats()).toMatchObject({ received: 4, dropped: 2, size: 2 })
  })
})

describe('drop-oldest', () => {
  test('the third push evicts the first, whose owner is notified, and the rest keeps its order', async () => {
    const { queue, dropped } = fullOfTwo('drop-oldest')
    await queue.push('c')
    expect(dropped).toEqual(['a'])
    expect([queue.take(), queue.take(), queue.take()]).toEqual(['b', 'c', undefined])
    expect(queue.stats()).toMatchObject({ received: 3, sent: 2, dropped: 1, size: 0 })
  })

  test('what is under way is never evicted', () => {
    const { queue, dropped } = fullOfTwo('drop-oldest')
    queue.reserve()
    expect(queue.offer('c')).toBe('accepted')
    queue.reserve()
    expect(queue.offer('d')).toBe('dropped')
    expect(dropped).toEqual(['b', 'd'])
    expect([queue.commit(), queue.commit()]).toEqual(['a', 'c'])
  })

  test('as many as the bytes need are evicted, and none when that would not help', () => {
    const { queue, dropped } = tenBytes()
    for (const name of ['a', 'b', 'c', 'd', 'e']) queue.offer(sized(name, 2))
    queue.reserve()
    expect(queue.offer(sized('f', 5))).toBe('accepted')
    expect(dropped).toEqual(['b', 'c', 'd'])
    expect(queue.offer(sized('g', 9))).toBe('dropped')
    expect([...queue].map((item) => item.name)).toEqual(['a', 'e', 'f'])
    expect(queue.bytes).toBe(9)
  })

  test('what was released may be evicted again, with all its bytes', () => {
    const { queue, dropped } = tenBytes()
    queue.offer(sized('a', 8))
    queue.reserve()
    expect(queue.offer(sized('b', 9))).toBe('dropped')
    queue.release()
    expect(queue.offer(sized('c', 9))).toBe('accepted')
    expect(dropped).toEqual(['b', 'a'])
  })

  test('an item that was put back is the first to be evicted, and is dropped once', () => {
    const { queue, dropped } = fullOfTwo('drop-oldest')
    expect(queue.reserve()).toBe('a')
    queue.putBack()
    expect(queue.offer('c')).toBe('accepted')
    expect(dropped).toEqual(['a'])
    expect([queue.reserved, queue.commit(), queue.reserve(), queue.commit()]).toEqual([
      0,
      undefined,
      'b',
      'b',
    ])
    expect(queue.stats()).toMatchObject({ received: 3, sent: 1, dropped: 1, size: 1 })
  })

  test('a hook that offers again finds a consistent queue', () => {
    const queue: BoundedQueue<string> = new BoundedQueue<string>(
      { capacity: 2, strategy: 'drop-oldest' },
      { onDrop: (item) => void (item === 'a' && queue.offer('again')) },
    )
    for (const item of ['a', 'b', 'c']) queue.offer(item)
    expect([...queue]).toEqual(['c', 'again'])
  })
})

describe('reject', () => {
  test('a full queue refuses and counts', async () => {
    const onDrop = vi.fn<(item: string) => void>()
    const queue = new BoundedQueue<string>({ capacity: 1, strategy: 'reject' }, { onDrop })
    queue.offer('a')
    expect(queue.offer('b')).toBe('rejected')
    const error = await settled(queue.push('c'))
    expect(error).toBeInstanceOf(QueueFullError)
    expect(error).toMatchObject({ outcome: 'not-sent', retryable: true })
    expect(queue.stats()).toMatchObject({ received: 3, rejected: 2, dropped: 0, size: 1 })
    expect(onDrop).not.toHaveBeenCalled()
  })
})

describe.each(['block', 'drop-oldest', 'drop-newest', 'reject'] as const)('%s', (strategy) => {
  test('an item larger than the byte limit is refused at once, and what is queued stays', async () => {
    const queue = new BoundedQueue<Sized>({ maxBytes: 10, strategy }, { sizeOf })
    queue.offer(sized('a', 10))
    expect(queue.offer(sized('b', 11))).toBe('too-large')
    const error = await settled(queue.push(sized('c', 12)))
    expect(error).toBeInstanceOf(TooLargeError)
    expect(error).toMatchObject({ size: 12, limit: 10, outcome: 'not-sent' })
    expect(queue.stats()).toMatchObject({ received: 3, rejected: 2, size: 1, bytes: 10 })
  })

  test('after close nothing is taken, and close again returns nothing', async () => {
    const queue = new BoundedQueue<string>({ strategy })
    queue.offer('a')
    queue.offer('b')
    queue.reserve()
    const error = new ClosedError('Closed by the test')
    expect(queue.close(error)).toEqual(['a', 'b'])
    expect(queue.close(new Error('second'))).toEqual([])
    expect(queue.offer('c')).toBe('closed')
    expect(await settled(queue.push('d'))).toBe(error)
    expect([queue.take(), queue.peek(), queue.reserve(), queue.commit()]).toEqual(
      Array.from({ length: 4 }),
    )
    expect([queue.isClosed, queue.hasRoom, queue.size, queue.bytes]).toEqual([true, false, 0, 0])
    expect(queue.stats()).toMatchObject({ received: 4, dropped: 2, rejected: 2 })
  })
})

describe('the level', () => {
  /** The levels that a queue of a hundred items reports while it has as many items as given, one after the other. */
  function levels(warningThreshold: number, sizes: readonly number[]): (string | number)[] {
    const reported: (string | number)[] = []
    const queue = new BoundedQueue<number>(
      { capacity: 100, warningThreshold },
      { onLevel: (level, fillRatio) => void reported.push(level, fillRatio) },
    )
    for (const size of sizes) {
      while (queue.size < size) queue.offer(0)
      while (queue.size > size) queue.take()
    }
    return reported
  }

  test.each([0.8, 0.55, 0.07])('at the threshold %s itself is high', (threshold) => {
    const items = Math.round(threshold * 100)
    expect(levels(threshold, [items - 1])).toEqual([])
    expect(levels(threshold, [items])).toEqual(['high', threshold])
  })

  test('is high once per upward crossing, and again only after the fill fell well below', () => {
    const reported = levels(0.5, [60, 100, 49, 55, 38, 60, 37, 45, 50])
    expect(reported).toEqual(['high', 0.5, 'normal', 0.37, 'high', 0.5])
  })

  test('follows the bytes where these are nearer to their limit', () => {
    const onLevel = vi.fn<(level: string, fillRatio: number) => void>()
    const queue = new BoundedQueue<Sized>({ maxBytes: 10 }, { sizeOf, onLevel })
    queue.offer(sized('a', 7))
    expect(onLevel).not.toHaveBeenCalled()
    queue.offer(sized('b', 2))
    queue.reserve()
    queue.commit()
    expect(onLevel.mock.calls).toEqual([
      ['high', 0.9],
      ['normal', 0.2],
    ])
  })

  test('without a hook nothing happens', () => {
    const queue = new BoundedQueue<number>({ capacity: 1 })
    expect(() => queue.offer(1)).not.toThrow()
  })
})

describe('the parts of the queue', () => {
  test('a release puts what was under way back at the head, in order', () => {
    const queue = new BoundedQueue<number>()
    for (const n of [1, 2, 3, 4]) queue.offer(n)
    expect([queue.reserve(), queue.reserve(), queue.reserve()]).toEqual([1, 2, 3])
    expect(queue.commit()).toBe(1)
    expect([queue.reserved, queue.peek()]).toEqual([2, 4])
    queue.release()
    expect([queue.reserved, queue.size]).toEqual([0, 3])
    expect([queue.take(), queue.take(), queue.take()]).toEqual([2, 3, 4])
  })

  test('an item that was put back keeps its room and its place at the head, behind what is under way', () => {
    const { queue } = tenBytes()
    for (const name of ['a', 'b', 'c']) queue.offer(sized(name, 2))
    queue.reserve()
    queue.reserve()
    queue.putBack()
    expect([queue.reserved, queue.size, queue.bytes]).toEqual([1, 3, 6])
    expect([...queue].map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(queue.peek()?.name).toBe('b')
    queue.putBack()
    queue.putBack()
    expect([queue.reserved, queue.bytes, queue.take()?.name]).toEqual([0, 6, 'a'])
  })

  test('a withdrawn item leaves, counts as rejected and makes room', async () => {
    const queue = new BoundedQueue<string>({ capacity: 3 })
    for (const item of ['a', 'b', 'c']) queue.offer(item)
    queue.reserve()
    const waiting = settled(queue.push('d'))
    expect(queue.remove('a')).toBe(false)
    expect(queue.remove('zzz')).toBe(false)
    expect(queue.remove('b')).toBe(true)
    expect(await waiting).toBe('fulfilled')
    expect([...queue]).toEqual(['a', 'c', 'd'])
    expect(queue.stats()).toMatchObject({ received: 4, rejected: 1, size: 3 })
  })

  test('bytes of what is withdrawn, taken and committed are given back', () => {
    const queue = new BoundedQueue<Sized>({}, { sizeOf })
    const items = [1, 2, 4, 8].map((bytes) => sized(`${bytes}`, bytes))
    for (const item of items) queue.offer(item)
    const [, , third] = items
    if (third !== undefined) queue.remove(third)
    expect(queue.bytes).toBe(11)
    queue.reserve()
    expect(queue.bytes).toBe(11)
    queue.take()
    expect(queue.bytes).toBe(9)
    queue.commit()
    expect(queue.bytes).toBe(8)
  })

  test('an iteration shows the queue of its start', () => {
    const queue = new BoundedQueue<number>()
    for (const n of [1, 2, 3]) queue.offer(n)
    const seen: number[] = []
    for (const n of queue) {
      seen.push(n)
      queue.take()
    }
    expect(seen).toEqual([1, 2, 3])
  })

  test.each([NaN, -1, 0.5])('a size of %s is a mistake of the owner', (bytes) => {
    const queue = new BoundedQueue<string>({}, { sizeOf: () => bytes })
    expect(() => queue.offer('a')).toThrow(TypeError)
    expect(queue.size).toBe(0)
  })
})

describe('the figures', () => {
  test('half full is a ratio of 0.5', () => {
    const queue = new BoundedQueue<number>({ capacity: 10 })
    for (let i = 0; i < 5; i++) queue.offer(i)
    expect(queue.fillRatio).toBe(0.5)
    expect(queue.stats().fillRatio).toBe(0.5)
  })

  test('the fuller of items and bytes counts, and without limits the ratio is 0', () => {
    const queue = new BoundedQueue<Sized>({ capacity: 10, maxBytes: 100 }, { sizeOf })
    queue.offer(sized('a', 70))
    expect(queue.fillRatio).toBe(0.7)
    const unlimited = new BoundedQueue<number>({ capacity: Infinity })
    for (let i = 0; i < 5_000; i++) unlimited.offer(i)
    expect(unlimited.fillRatio).toBe(0)
    expect(unlimited.hasRoom).toBe(true)
  })

  test.each([
    [0.4, ['high', 'normal']],
    [0.6, []],
  ])('with half of it used, a threshold of %s reports %j', (warningThreshold, expected) => {
    const told: string[] = []
    const queue = new BoundedQueue<number>(
      { capacity: 10, warningThreshold },
      { onLevel: (level) => void told.push(level) },
    )
    for (let i = 0; i < 5; i++) queue.offer(i)
    while (queue.take() !== undefined);
    expect(told).toEqual(expected)
  })

  test('with a rank the greatest goes first, and among equals the oldest', () => {
    const queue = new BoundedQueue<string>()
    for (const item of ['b1', 'a', 'ccc', 'b2', 'ddd', '']) queue.offer(item)
    const rank = (item: string): number => item.length
    const order: unknown[] = []
    for (let next = queue.peek(rank); next !== undefined; next = queue.peek(rank)) {
      order.push(next === queue.reserve(rank) ? next : 'another')
    }
    expect(order).toEqual(['ccc', 'ddd', 'b1', 'b2', 'a', ''])
    expect(queue.reserve(rank)).toBeUndefined()
    expect(order.map(() => queue.commit())).toEqual(order)
  })

  test('what was reserved by rank waits again at the head, in the order in which it was reserved', () => {
    const queue = new BoundedQueue<number>({ capacity: 5 }, { sizeOf: (item) => item })
    for (const item of [1, 2, 9, 3]) queue.offer(item)
    const rank = (item: number): number => item
    queue.reserve(rank)
    queue.reserve(rank)
    expect([queue.reserved, queue.bytes]).toEqual([2, 15])
    queue.release()
    expect([...queue]).toEqual([9, 3, 1, 2])
    expect(queue.take()).toBe(9)
    expect(queue.bytes).toBe(6)
  })

  test('a rank that is no number leaves the order as it is', () => {
    const queue = new BoundedQueue<number>()
    for (const item of [3, 1, 2]) queue.offer(item)
    const rank = (): number => NaN
    expect([queue.peek(rank), queue.reserve(rank), queue.peek(rank)]).toEqual([3, 3, 1])
  })

  test('stats are a frozen picture of their moment', () => {
    const queue = new BoundedQueue<number>()
    const before = queue.stats()
    queue.offer(1)
    expect(before.size).toBe(0)
    expect(Object.isFrozen(before)).toBe(true)
  })

  test('ten thousand publishers against a stalled reader are bounded, and the figures add up', async () => {
    const warnings = vi.fn<(warning: Error) => void>()
    process.on('warning', warnings)
    onTestFinished(() => void process.off('warning', warnings))
    const queue = new BoundedQueue<number>({ capacity: 100 })
    const controller = new AbortController()
    const waits = Array.from({ length: 10_000 }, (_, i) =>
      settled(queue.push(i, { signal: controller.signal })),
    )
    expect(queue.stats()).toMatchObject({ received: 100, size: 100, waiting: 9_900 })
    for (let i = 0; i < 50; i++) queue.take()
    controller.abort()
    const results = await Promise.all(waits)
    expect(results.filter((result) => result === 'fulfilled')).toHaveLength(150)
    expect(results.filter((result) => result instanceof AbortedError)).toHaveLength(9_850)
    expect(queue.stats()).toMatchObject({ received: 10_000, sent: 50, rejected: 9_850, size: 100 })
    // Node emits warnings in a later tick.
    await setImmediate()
    expect(warnings).not.toHaveBeenCalled()
  })
})
